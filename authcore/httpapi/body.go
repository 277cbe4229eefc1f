package httpapi

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/edgeauth/edgeauth/authcore"
)

// maxBody limits a body, in bytes, and with it the memory and time of everything
// that is made of it (CWE-770).
const maxBody = 64 << 10

// bodyTimeout limits the time in which a whole body has to arrive. Otherwise a
// client that sends a byte now and then could hold a request, and with it the
// shutdown of the server, forever (CWE-400).
const bodyTimeout = 10 * time.Second

// source looks up a value of a request by its name.
type source func(name string) (value, bool)

// body reads and parses the body of a request. An absent body is an empty one.
func (r *request) body() (source, error) {
	content, err := r.readBody()
	if err != nil {
		return nil, unreadable(err)
	}
	if len(content) == 0 && r.Header.Get("Content-Type") == "" {
		return fromForm(nil), nil
	}
	mediaType, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) || !isUTF8(params["charset"]) {
		return nil, r.unsupported()
	}
	switch mediaType {
	case "application/json":
		return parseJSON(content)
	case "application/x-www-form-urlencoded":
		return parseForm(content)
	case "multipart/form-data":
		return parseMultipart(content, params["boundary"])
	default:
		return nil, r.unsupported()
	}
}

// fields reads the body of a request and takes the fields out of it.
func (r *request) fields(fields ...field) (input, error) {
	from, err := r.body()
	if err != nil {
		return nil, err
	}
	return read(from, fields...)
}

func (r *request) readBody() ([]byte, error) {
	// Not every server has deadlines; others have limits of their own.
	connection := http.NewResponseController(r.w)
	bounded := connection.SetReadDeadline(time.Now().Add(r.bodyTimeout)) == nil
	content, err := io.ReadAll(http.MaxBytesReader(r.w, r.Body, maxBody))
	if bounded && err == nil { // else the server would wait for the rest
		_ = connection.SetReadDeadline(time.Time{})
	}
	return content, err
}

// isUTF8 reports whether a charset parameter is absent or names UTF-8, the only
// encoding that is read, or ASCII, which is a part of it.
func isUTF8(charset string) bool {
	switch strings.ToLower(charset) {
	case "", "utf-8", "utf8", "us-ascii", "ascii":
		return true
	default:
		return false
	}
}

func (r *request) unsupported() error {
	return &plainError{
		status: http.StatusUnsupportedMediaType,
		detail: `Unsupported media type "` + r.Header.Get("Content-Type") + `" in request.`,
	}
}

func unreadable(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return authcore.NewError(http.StatusRequestEntityTooLarge, CodeBodyTooLarge, "Request body is too large.")
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return authcore.NewError(http.StatusRequestTimeout, CodeRequestTimeout, "The request body took too long to arrive.")
	}
	return badRequest("Request body could not be read.")
}

// parseForm reads application/x-www-form-urlencoded.
func parseForm(content []byte) (source, error) {
	form, err := url.ParseQuery(string(content))
	if err != nil {
		return nil, badRequest("Form parse error - malformed encoding.")
	}
	return fromForm(form), nil
}

// parseMultipart reads multipart/form-data (RFC 7578). Files are ignored, and
// nothing is written to disk.
func parseMultipart(content []byte, boundary string) (source, error) {
	form := url.Values{}
	if len(content) == 0 {
		return fromForm(form), nil
	}
	if boundary == "" {
		return nil, badRequest("Multipart form parse error - no boundary.")
	}
	parts := multipart.NewReader(bytes.NewReader(content), boundary)
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF { //nolint:errorlint // A body that is cut off wraps the same error.
			return fromForm(form), nil
		}
		if err != nil {
			return nil, badRequest("Multipart form parse error - malformed part.")
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return nil, badRequest("Multipart form parse error - a part has no end.")
		}
		if part.FileName() == "" {
			form.Add(part.FormName(), string(text))
		}
	}
}

// fromForm looks up the fields of a form. The last of several of one name counts.
func fromForm(form url.Values) source {
	return func(name string) (value, bool) {
		texts := form[name]
		if len(texts) == 0 {
			return value{}, false
		}
		return value{text: texts[len(texts)-1]}, true
	}
}
