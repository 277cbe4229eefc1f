package mailer

import "strings"

// meaning describes a reply by its enhanced code (RFC 3463, section 3), which is more
// specific, otherwise by its reply code (RFC 5321, section 4.2.3, and RFC 4954,
// section 6).
func meaning(status int, enhanced string) string {
	if _, detail, found := strings.Cut(enhanced, "."); found {
		if text := enhancedMeaning(detail); text != "" {
			return text
		}
	}
	switch status {
	case 421:
		return "the service closes the connection"
	case 450:
		return "the mailbox is temporarily unavailable"
	case 451:
		return "local error of the server"
	case 452, 552:
		return "insufficient storage or too many mails"
	case 454:
		return "temporary failure of the server"
	case 530:
		return "authentication is required"
	case 534, 538:
		return "stronger authentication is required"
	case 535:
		return "the credentials are not valid"
	case 550:
		return "the mailbox is unavailable or refused by policy"
	case 551:
		return "the user is not local"
	case 553:
		return "the address is refused"
	case 554:
		return "the transaction failed"
	}
	if status >= 400 && status < 500 {
		return "temporarily refused"
	}
	return "refused"
}

// enhancedMeaning explains the part after the class, for example "1.1".
func enhancedMeaning(detail string) string {
	switch detail {
	case "1.1", "1.2", "1.3", "1.6", "1.10":
		return "the recipient address does not exist"
	case "1.7", "1.8":
		return "the sender address is refused"
	case "2.1":
		return "the mailbox is disabled"
	case "2.2":
		return "the mailbox is full"
	case "7.1":
		return "the delivery is not authorized"
	case "7.8":
		return "the credentials are not valid"
	}
	switch subject, _, _ := strings.Cut(detail, "."); subject {
	case "1":
		return "address problem"
	case "2":
		return "mailbox problem"
	case "3":
		return "problem of the mail system"
	case "4":
		return "network or routing problem"
	case "5":
		return "protocol problem"
	case "6":
		return "the content is refused"
	case "7":
		return "refused by policy"
	default:
		return ""
	}
}
