package httpapi

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/edgeauth/edgeauth/authcore"
)

// kind is the type of a value, as far as fields distinguish types.
type kind int

// The kinds of value. A number is a text to every field but code.
const (
	text kind = iota
	number
	boolean
	null
	object
	list     // of texts without blanks
	unusable // an array of anything else, or a text that is not valid
)

// value is the value of one field in a request. Nulls and unusable values have no
// text; that of an object is its JSON, that of a list its elements with blanks between
// them.
type value struct {
	kind kind
	text string
}

// field describes a field that an endpoint reads. Other names are ignored.
type field struct {
	name string
	// alias is another spelling of the name, or "".
	alias    string
	required bool
	// unless names other fields that replace a required one. They exclude each other.
	unless []string
	// mayBeBlank accepts "" and blanks.
	mayBeBlank bool
	// trimmed fields may have blanks and invisible characters of Unicode around
	// them, line breaks included, which are copied along from mails and pages.
	trimmed bool
	// digits is the length to which a number is padded with zeros; 0 for none.
	digits int
	// flag fields are true or false.
	flag bool
	// object fields are JSON objects. Forms contain them as texts.
	object bool
	// list fields are lists of texts, or one text with blanks between them, for forms.
	list bool
	// tooLong is the fault of values over maxLength bytes; "" means that only the
	// body is limited.
	tooLong   string
	maxLength int
}

func required(name string) field { return field{name: name, required: true} }
func optional(name string) field { return field{name: name} }
func blank(name string) field    { return field{name: name, mayBeBlank: true} }
func flag(name string) field     { return field{name: name, flag: true} }
func trimmed(name string) field  { return field{name: name, required: true, trimmed: true} }

// code is a mailed code. As a JSON number it has lost its leading zeros.
func code() field { return field{name: "code", required: true, trimmed: true, digits: 6} }

// email limits an address before it is parsed: the conversion of international
// domains takes time that grows with the square of their length (CWE-407).
func email() field {
	return field{name: "email", required: true, trimmed: true, tooLong: "Enter a valid email address.", maxLength: 1 << 10}
}

// input holds the fields that a request has.
type input map[string]string

// isSet reports whether a flag is present and true.
func (in input) isSet(name string) bool { return in[name] == "true" }

// optional returns the text of a field, or nil if it is absent.
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
		var instead string
		for _, other := range f.unless {
			if _, present := from(other); present {
				instead = other
			}
		}
		switch {
		case !found && f.required && instead == "":
			faults[f.name] = []string{"This field is required."}
		case found && instead != "":
			faults[f.name] = []string{"Not together with " + instead + "."}
		case found:
			taken, fault := f.take(v)
			if fault != "" {
				faults[f.name] = []string{fault}
			}
			in[f.name] = taken
		}
	}
	if err := authcore.FieldErrors(faults); err != nil {
		return nil, err
	}
	return in, nil
}

// take returns the text of a value, or its fault.
func (f field) take(v value) (taken, fault string) {
	checked := v.text
	if f.trimmed {
		checked = authcore.Trim(v.text)
	}
	switch {
	case v.kind == null:
		return "", "This field may not be null."
	case f.list && (v.kind == list || v.kind == text):
		return v.text, ""
	case f.list:
		return "", "Not a valid list."
	case f.flag && v.kind == list:
		return "", "Must be a valid boolean."
	case f.flag:
		return takeFlag(v)
	case f.object:
		return takeObject(v)
	case v.kind != text && v.kind != number || !utf8.ValidString(v.text):
		return "", "Not a valid string."
	case !f.mayBeBlank && strings.TrimSpace(v.text) == "":
		return "", "This field may not be blank."
	case !f.mayBeBlank && checked == "":
		return "", "This field may not be blank."
	case strings.ContainsRune(checked, 0):
		return "", "Null characters are not allowed."
	case f.digits == 0 && strings.ContainsFunc(checked, unicode.IsControl): // ParseCode removes tabs and line breaks
		return "", "Control characters are not allowed."
	case f.tooLong != "" && len(v.text) > f.maxLength:
		return "", f.tooLong
	case v.kind == number && strings.Trim(v.text, "0123456789") == "":
		return strings.Repeat("0", max(0, f.digits-len(v.text))) + v.text, ""
	}
	return v.text, ""
}

// takeFlag also accepts the numbers of forms.
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

// takeObject also accepts the texts of forms. What the object contains is checked by its
// reader.
func takeObject(v value) (taken, fault string) {
	switch {
	case v.kind != object && v.kind != text || !utf8.ValidString(v.text):
		return "", "Not a valid object."
	case strings.TrimSpace(v.text) == "":
		return "", "This field may not be blank."
	}
	return v.text, ""
}
