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

	"github.com/edgeauth/edgeauth/internal/language"
)

//go:embed templates phrases
var embedded embed.FS

// LoadTemplates reads the texts of mails and renders each once, so that a fault is
// reported at the start, with file and line. With dir "" the texts are the built-in
// ones.
//
// The directory contains subject.txt, text.txt and html.html of the login mail for the
// default language, account-subject.txt, account-text.txt and account-html.html of
// mails about accounts, and the same files in folders named by language tag:
// "de/text.txt". The syntax is that of text/template and html/template; the fields are
// those of Data. Missing files are taken from the built-in texts, if they have the
// language. Texts for the default language replace the built-in texts of all languages.
func LoadTemplates(dir string) (*Templates, error) {
	var (
		found contents
		err   error
	)
	if dir != "" {
		if found, err = survey(os.DirFS(dir), dir); err != nil {
			return nil, err
		}
	}
	templates := &Templates{}
	if templates.login, err = loadGroup(loginFiles(), found); err != nil {
		return nil, err
	}
	templates.account, err = loadGroup(accountFiles(), found)
	return templates, err
}

// loadGroup loads the texts of one group in all languages.
func loadGroup(files fileSet, found contents) (group, error) {
	loaded := group{byTag: map[string]*texts{}}
	var err error
	if found.hasAny(".", files) {
		loaded.fallback, err = loadTexts(files, found.source("."), language.Default)
	} else if loaded.fallback, err = loadTexts(files, nil, language.Default); err == nil {
		for _, tag := range language.Tags() {
			loaded.byTag[tag] = loaded.fallback.in(tag)
		}
	}
	if err != nil {
		return group{}, err
	}
	for _, folder := range found.folders {
		tag := language.Normalize(folder)
		if !found.hasAny(folder, files) && !isKnown(tag) {
			continue // the folder has texts of the other group only
		}
		if loaded.byTag[tag], err = loadTexts(files, found.source(folder), tag); err != nil {
			return group{}, err
		}
	}
	return loaded, nil
}

// contents describes a directory of templates.
type contents struct {
	files   fs.FS
	name    string
	folders []string
}

// survey lists the contents of a directory of templates. An unknown name is an error,
// because it is most likely misspelt.
func survey(files fs.FS, name string) (contents, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return contents{}, fmt.Errorf("mailer: templates: %w", err)
	}
	found := contents{files: files, name: name}
	isEmpty := true
	for _, entry := range entries {
		switch base := entry.Name(); {
		case strings.HasPrefix(base, "."): // of an editor or file manager
			continue
		case slices.Contains(allFiles(), base):
		case language.IsTag(base):
			found.folders = append(found.folders, base)
		default:
			return contents{}, fmt.Errorf("mailer: %s: the name is not valid; use %s, or a folder named by a language",
				filepath.Join(name, base), strings.Join(allFiles(), ", "))
		}
		isEmpty = false
	}
	if isEmpty {
		return contents{}, fmt.Errorf("mailer: %s contains no texts; add %s, or a folder named by a language", name, strings.Join(allFiles(), ", "))
	}
	for _, folder := range found.folders {
		if !found.hasAny(folder, loginFiles()) && !found.hasAny(folder, accountFiles()) && !isKnown(language.Normalize(folder)) {
			return contents{}, fmt.Errorf("mailer: %s is missing; add it, the language has no built-in texts",
				filepath.Join(name, folder, loginFiles().subject))
		}
	}
	return found, nil
}

// hasAny reports whether a folder has a file of the set.
func (c contents) hasAny(folder string, files fileSet) bool {
	return c.files != nil && slices.ContainsFunc(files.names(), func(file string) bool {
		_, err := fs.Stat(c.files, path.Join(folder, file))
		return err == nil
	})
}

func (c contents) source(folder string) *source {
	return &source{files: c.files, folder: folder, name: filepath.Join(c.name, folder)}
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
	return slices.ContainsFunc(language.Lookup(tag), func(one string) bool {
		return slices.Contains(language.Tags(), language.Canonical(one))
	})
}

// loadTexts parses the texts of a folder, or the built-in ones, and tries those of a
// folder. The tests try the built-in ones, of which one set serves all languages.
func loadTexts(files fileSet, own *source, tag string) (*texts, error) {
	set := &texts{tag: tag}
	parsers := []struct {
		file  string
		parse func(name, content string) error
	}{
		{files.subject, func(name, content string) (err error) {
			set.subject, err = text.New(name).Parse(strings.TrimSpace(content))
			return err
		}},
		{files.text, func(name, content string) (err error) {
			set.text, err = text.New(name).Parse(content)
			return err
		}},
		{files.html, func(name, content string) (err error) {
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
	if own != nil {
		if err := set.try(files.samples()); err != nil {
			return nil, err
		}
	}
	return set, nil
}
