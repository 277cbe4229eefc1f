package mailer

import "strings"

// meaning says what a reply means: by its enhanced code (RFC 3463, section 3),
// which is the more exact one, else by its reply code (RFC 5321, section 4.2.3
// and RFC 4954, section 6).
func meaning(status int, enhanced string) string {
	if _, detail, found := strings.Cut(enhanced, "."); found {
		if text := enhancedMeaning(detail); text != "" {
			return text
		}
	}
	switch status {
	case 421:
		return "service shuts down the connection"
	case 450:
		return "mailbox not available now"
	case 451:
		return "error at the server"
	case 452, 552:
		return "not enough storage at the server"
	case 454:
		return "not available now for a technical reason"
	case 530:
		return "authentication required"
	case 534, 538:
		return "stronger authentication required"
	case 535:
		return "credentials refused"
	case 550:
		return "mailbox not available, or refused by policy"
	case 551:
		return "user not local"
	case 553:
		return "address refused"
	case 554:
		return "transaction failed"
	}
	if status >= 400 && status < 500 {
		return "refused for now"
	}
	return "refused"
}

// enhancedMeaning explains the part after the class, for example "1.1".
func enhancedMeaning(detail string) string {
	switch detail {
	case "1.1", "1.2", "1.3", "1.6", "1.10":
		return "recipient address does not exist"
	case "1.7", "1.8":
		return "sender address refused"
	case "2.1":
		return "mailbox disabled"
	case "2.2":
		return "mailbox full"
	case "7.1":
		return "delivery not authorized"
	case "7.8":
		return "credentials refused"
	}
	switch subject, _, _ := strings.Cut(detail, "."); subject {
	case "1":
		return "address problem"
	case "2":
		return "mailbox problem"
	case "3":
		return "mail system problem at the server"
	case "4":
		return "network or routing problem at the server"
	case "5":
		return "protocol problem"
	case "6":
		return "content refused"
	case "7":
		return "refused by policy"
	default:
		return ""
	}
}
