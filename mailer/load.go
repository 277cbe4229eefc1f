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
	"slices"
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

// LoadTemplates reads the texts of the mail and renders each once, so that a fault is
// reported at the start, with file and line. With dir "" the texts are the built-in
// ones.
//
// The directory contains subject.txt, text.txt and html.html for the default language,
// and the same files in folders named by language tag: "de/text.txt". The syntax is that
// of text/template and html/template; the fields are those of Data. Missing files are
// taken from the built-in texts, if they have the language. Texts for the default
// language replace the built-in texts of all languages.
func LoadTemplates(dir string) (*Templates, error) {
	if dir == "" {
		return builtIn()
	}
	return loadTemplates(os.DirFS(dir), dir)
}

func builtIn() (*Templates, error) {
	templates := &Templates{byTag: map[string]*texts{}}
	for tag := range catalogue() {
		set, err := loadTexts(nil, tag)
		if err != nil {
			return nil, err
		}
		templates.byTag[tag] = set
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
		return nil, fmt.Errorf("mailer: %s contains no texts; add %s, %s, %s or a folder named by a language", name, subjectFile, textFile, htmlFile)
	}
	templates := &Templates{byTag: map[string]*texts{}}
	if !hasDefault {
		if templates, err = builtIn(); err != nil {
			return nil, err
		}
	} else if templates.fallback, err = loadTexts(&source{files, ".", name}, defaultLocale); err != nil {
		return nil, err
	}
	for _, folder := range folders {
		tag := normalizeTag(folder)
		if templates.byTag[tag], err = loadTexts(&source{files, folder, filepath.Join(name, folder)}, tag); err != nil {
			return nil, err
		}
	}
	return templates, nil
}

// survey lists the contents of a directory of templates. An unknown name is an error,
// because it is most likely misspelt.
func survey(files fs.FS, name string) (folders []string, hasDefault bool, err error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, false, fmt.Errorf("mailer: templates: %w", err)
	}
	for _, entry := range entries {
		switch base := entry.Name(); {
		case strings.HasPrefix(base, "."): // of an editor or file manager
		case base == subjectFile, base == textFile, base == htmlFile:
			hasDefault = true
		case languageTag.MatchString(normalizeTag(base)):
			folders = append(folders, base)
		default:
			return nil, false, fmt.Errorf("mailer: %s: the name is not valid; use %s, %s, %s or a folder named by a language",
				filepath.Join(name, base), subjectFile, textFile, htmlFile)
		}
	}
	return folders, hasDefault, nil
}

// source is a folder of templates, and its name in errors.
type source struct {
	files        fs.FS
	folder, name string
}

// read returns a file of the folder, otherwise the built-in one. own may be nil.
func read(own *source, file, tag string) (name, content string, err error) {
	if own != nil {
		name = filepath.Join(own.name, file)
		raw, err := fs.ReadFile(own.files, path.Join(own.folder, file))
		if err == nil {
			return name, string(raw), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", "", fmt.Errorf("mailer: templates: %w", err)
		}
		if !isKnown(tag) {
			return "", "", fmt.Errorf("mailer: %s is missing; add it, the language has no built-in texts", name)
		}
	}
	raw, err := embedded.ReadFile("templates/" + file)
	return file, string(raw), err
}

// isKnown reports whether there are built-in texts in a language.
func isKnown(tag string) bool {
	all := catalogue()
	return slices.ContainsFunc(lookupTags(tag), func(one string) bool { return all[canonicalTag(one)] != nil })
}

func loadTexts(own *source, tag string) (*texts, error) {
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
		name, content, err := read(own, parser.file, tag)
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
