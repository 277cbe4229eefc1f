package mailer

import (
	"cmp"
	"strings"
)

// meaning describes a reply by its enhanced code (RFC 3463, section 3), which is more
// specific, otherwise by its reply code (RFC 5321, section 4.2.3, and RFC 4954,
// section 6).
func meaning(status int, enhanced string) string {
	_, detail, _ := strings.Cut(enhanced, ".") // without the class, for example "1.1"
	subject, _, _ := strings.Cut(detail, ".")
	refused := "refused"
	if status/100 == 4 {
		refused = "temporarily refused"
	}
	return cmp.Or(enhancedMeanings()[detail], enhancedMeanings()[subject], replyMeanings()[status], refused)
}

// enhancedMeanings explains the details of enhanced codes and, for others, the subjects.
func enhancedMeanings() map[string]string {
	const noAddress, badSender = "the recipient address does not exist", "the sender address is refused"
	return map[string]string{
		"1.1":  noAddress,
		"1.2":  noAddress,
		"1.3":  noAddress,
		"1.6":  noAddress,
		"1.10": noAddress,
		"1.7":  badSender,
		"1.8":  badSender,
		"2.1":  "the mailbox is disabled",
		"2.2":  "the mailbox is full",
		"7.1":  "the delivery is not authorized",
		"7.8":  "the credentials are not valid",
		"1":    "address problem",
		"2":    "mailbox problem",
		"3":    "problem of the mail system",
		"4":    "network or routing problem",
		"5":    "protocol problem",
		"6":    "the content is refused",
		"7":    "refused by policy",
	}
}

// replyMeanings explains reply codes.
func replyMeanings() map[int]string {
	const noSpace, weakAuth = "insufficient storage or too many mails", "stronger authentication is required"
	return map[int]string{
		421: "the service closes the connection",
		450: "the mailbox is temporarily unavailable",
		451: "local error of the server",
		452: noSpace,
		454: "temporary failure of the server",
		530: "authentication is required",
		534: weakAuth,
		535: "the credentials are not valid",
		538: weakAuth,
		550: "the mailbox is unavailable or refused by policy",
		551: "the user is not local",
		552: noSpace,
		553: "the address is refused",
		554: "the transaction failed",
	}
}
