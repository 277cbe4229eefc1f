package httpapi

import (
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/edgeauth/edgeauth/authcore"
)

// kind is the type of a value as far as fields tell types apart.
type kind int

// The kinds of value. Numbers are texts.
const (
	text kind = iota
	boolean
	null
	unusable // an object, an array, or a text that is none
)

// value is what a request says about one field. Only texts and booleans have a
// text.
type value struct {
	kind kind
	text string
}

// field describes what an endpoint reads. Names that no field has are never
// looked at.
type field struct {
	name string
	// alias is another spelling of the name, or "".
	alias    string
	required bool
	// unless names another field that stands in for a required one. Not both
	// may be there.
	unless string
	// mayBeBlank lets "" and blanks pass.
	mayBeBlank bool
	// flag fields are true or false.
	flag bool
	// tooLong is said of values over maxLength bytes; "" means no bound but that
	// of the body.
	tooLong   string
	maxLength int
}

func required(name string) field { return field{name: name, required: true} }
func optional(name string) field { return field{name: name} }
func blank(name string) field    { return field{name: name, mayBeBlank: true} }
func flag(name string) field     { return field{name: name, flag: true} }

// email bounds an address before it is parsed: the conversion of international
// domains takes time that grows with the square of their length (CWE-407).
func email() field {
	return field{name: "email", required: true, tooLong: "Enter a valid email address.", maxLength: 1 << 10}
}

// input holds the fields that a request has.
type input map[string]string

// isSet reports whether a flag is there and true.
func (in input) isSet(name string) bool { return in[name] == "true" }

// optional returns the text of a field, or nil where it was left out.
func (in input) optional(name string) *string {
	text, found := in[name]
	if !found {
		return nil
	}
	return &text
}

// read takes fields out of a source. Its error names all faulty ones.
func read(from source, fields ...field) (input, error) {
	in, faults := input{}, map[string][]string{}
	for _, f := range fields {
		v, found := from(f.name)
		if !found && f.alias != "" {
			v, found = from(f.alias)
		}
		instead := false
		if f.unless != "" {
			_, instead = from(f.unless)
		}
		switch {
		case !found && f.required && !instead:
			faults[f.name] = []string{"This field is required."}
		case found && instead:
			faults[f.name] = []string{"Not together with " + f.unless + "."}
		case found:
			taken, fault := f.take(v)
			if fault != "" {
				faults[f.name] = []string{fault}
			}
			in[f.name] = taken
		}
	}
	if len(faults) > 0 {
		return nil, &authcore.Error{
			Status: http.StatusBadRequest, Code: authcore.CodeInvalidRequest,
			Detail: "Invalid input.", Fields: faults,
		}
	}
	return in, nil
}

// take returns the text of a value, or what is wrong with it.
func (f field) take(v value) (taken, fault string) {
	switch {
	case v.kind == null:
		return "", "This field may not be null."
	case f.flag:
		return takeFlag(v)
	case v.kind != text || !utf8.ValidString(v.text):
		return "", "Not a valid string."
	case !f.mayBeBlank && strings.TrimSpace(v.text) == "":
		return "", "This field may not be blank."
	case strings.ContainsRune(v.text, 0):
		return "", "Null characters are not allowed."
	case strings.ContainsFunc(v.text, unicode.IsControl):
		return "", "Control characters are not allowed."
	case f.tooLong != "" && len(v.text) > f.maxLength:
		return "", f.tooLong
	}
	return v.text, ""
}

// takeFlag also takes what forms can say.
func takeFlag(v value) (taken, fault string) {
	switch v.text {
	case "true", "1":
		return "true", ""
	case "false", "0":
		return "false", ""
	default:
		return "", "Must be a valid boolean."
	}
}
