package mailer

import (
	"embed"
	"errors"
	"fmt"
	html "html/template"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	text "text/template"
)

// The files of one language.
const (
	subjectFile = "subject.txt"
	textFile    = "text.txt"
	htmlFile    = "html.html"
)

//go:embed templates
var embedded embed.FS

// LoadTemplates reads the texts of the mail and renders each once, so that a
// fault shows now, with file and line, and not in a mail. With dir "" the texts
// are the built-in ones, in English and German.
//
// The directory holds subject.txt, text.txt and html.html for the default
// language, and the same in folders named by language tag: "de/text.txt". The
// syntax is that of text/template and html/template, the fields are those of
// Data. A file that is missing is taken from the built-in texts, where they have
// the language. Whoever replaces a default text means it for all languages: then
// the built-in German mail is used only to fill in for a folder "de".
func LoadTemplates(dir string) (*Templates, error) {
	if dir == "" {
		return builtIn()
	}
	return loadTemplates(os.DirFS(dir), dir)
}

func builtIn() (*Templates, error) {
	sources, err := fs.Sub(embedded, "templates")
	if err != nil {
		return nil, err
	}
	templates := &Templates{byTag: map[string]*texts{}}
	for _, tag := range []string{defaultLocale, "de"} {
		if templates.byTag[tag], err = loadTexts([]source{{sources, tag, tag}}, tag); err != nil {
			return nil, err
		}
	}
	templates.fallback = templates.byTag[defaultLocale]
	return templates, nil
}

func loadTemplates(files fs.FS, name string) (*Templates, error) {
	folders, hasDefault, err := survey(files, name)
	if err != nil {
		return nil, err
	}
	if len(folders) == 0 && !hasDefault {
		return nil, fmt.Errorf("mailer: %s has neither %s, %s or %s nor a folder of a language", name, subjectFile, textFile, htmlFile)
	}
	filler, err := fs.Sub(embedded, "templates")
	if err != nil {
		return nil, err
	}
	templates := &Templates{byTag: map[string]*texts{}}
	if !hasDefault {
		if templates, err = builtIn(); err != nil {
			return nil, err
		}
	} else if templates.fallback, err = loadTexts([]source{{files, ".", name}, {filler, defaultLocale, defaultLocale}}, defaultLocale); err != nil {
		return nil, err
	}
	for _, folder := range folders {
		tag := normalizeTag(folder)
		sources := []source{{files, folder, filepath.Join(name, folder)}, {filler, tag, tag}}
		if templates.byTag[tag], err = loadTexts(sources, tag); err != nil {
			return nil, err
		}
	}
	return templates, nil
}

// survey looks what is in a directory of templates. A name that it does not know
// is an error: it is most likely a misspelt one.
func survey(files fs.FS, name string) (folders []string, hasDefault bool, err error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, false, fmt.Errorf("mailer: templates: %w", err)
	}
	for _, entry := range entries {
		switch base := entry.Name(); {
		case strings.HasPrefix(base, "."): // an editor's or a file manager's
		case base == subjectFile, base == textFile, base == htmlFile:
			hasDefault = true
		case languageTag.MatchString(normalizeTag(base)):
			folders = append(folders, base)
		default:
			return nil, false, fmt.Errorf("mailer: %s: want %s, %s, %s or a folder named like a language",
				filepath.Join(name, base), subjectFile, textFile, htmlFile)
		}
	}
	return folders, hasDefault, nil
}

// source is a folder that may have a file, and how to call it in an error.
type source struct {
	files        fs.FS
	folder, name string
}

// read returns the file from the first source that has it.
func read(sources []source, file string) (name, content string, err error) {
	for _, s := range sources {
		raw, err := fs.ReadFile(s.files, path.Join(s.folder, file))
		if err == nil {
			return filepath.Join(s.name, file), string(raw), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", "", fmt.Errorf("mailer: templates: %w", err)
		}
	}
	return "", "", fmt.Errorf("mailer: %s is missing", filepath.Join(sources[0].name, file))
}

func loadTexts(sources []source, tag string) (*texts, error) {
	set := &texts{tag: tag}
	parsers := []struct {
		file  string
		parse func(name, content string) error
	}{
		{subjectFile, func(name, content string) (err error) {
			set.subject, err = text.New(name).Parse(strings.TrimSpace(content))
			return err
		}},
		{textFile, func(name, content string) (err error) {
			set.text, err = text.New(name).Parse(content)
			return err
		}},
		{htmlFile, func(name, content string) (err error) {
			set.html, err = html.New(name).Parse(content)
			return err
		}},
	}
	for _, parser := range parsers {
		name, content, err := read(sources, parser.file)
		if err != nil {
			return nil, err
		}
		if err := parser.parse(name, content); err != nil {
			return nil, fmt.Errorf("mailer: %w", err)
		}
	}
	if err := set.try(); err != nil {
		return nil, err
	}
	return set, nil
}
