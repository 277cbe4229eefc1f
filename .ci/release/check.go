package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// check builds the release again, compares the bytes, and verifies the files.
func (r *release) check(ctx context.Context) error {
	second, err := os.MkdirTemp("", "edgeauth-second-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(second)
	again := *r
	again.out = filepath.Join(second, "release")
	if err := again.produce(ctx); err != nil {
		return fmt.Errorf("second build: %w", err)
	}
	if err := sameFiles(r.out, again.out); err != nil {
		return err
	}
	if err := checkSums(r.out); err != nil {
		return err
	}
	checked, err := r.checkArchives()
	if err != nil {
		return err
	}
	report("built twice with the same bytes; checksums and %d bills of materials verified", checked)
	return nil
}

// sameFiles compares the digests of two directories.
func sameFiles(first, second string) error {
	a, err := sums(first)
	if err != nil {
		return err
	}
	b, err := sums(second)
	if err != nil {
		return err
	}
	if a != b {
		return fmt.Errorf("the second build differs:\n%s\n%s", a, b)
	}
	return nil
}

// checkSums compares SHA256SUMS with the files.
func checkSums(folder string) error {
	want, err := sums(folder)
	if err != nil {
		return err
	}
	got, err := os.ReadFile(filepath.Join(folder, sumsFile))
	if err != nil {
		return err
	}
	if string(got) != want {
		return fmt.Errorf("%s: does not match the files:\n%s", sumsFile, got)
	}
	return nil
}

// checkArchives verifies the binary in each archive and returns their number.
func (r *release) checkArchives() (int, error) {
	files, err := filepath.Glob(filepath.Join(r.out, "edgeauth_*_*_*.*"))
	if err != nil {
		return 0, err
	}
	checked := 0
	for _, file := range files {
		read := untarred
		base, isTar := strings.CutSuffix(file, ".tar.gz")
		if !isTar {
			var isZip bool
			if base, isZip = strings.CutSuffix(file, ".zip"); !isZip {
				continue
			}
			read = unzipped
		}
		binary, err := read(file)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
		if err := r.checkBinary(binary, base+".cdx.json"); err != nil {
			return 0, fmt.Errorf("%s: %w", file, err)
		}
		checked++
	}
	if checked != len(r.platforms) {
		return 0, fmt.Errorf("found %d archives, want %d", checked, len(r.platforms))
	}
	return checked, nil
}

// checkBinary compares a binary with its bill of materials. The list must contain each
// module that the binary names, and the binary no path of the machine.
func (r *release) checkBinary(binary []byte, list string) error {
	if bytes.Contains(binary, []byte(r.root)) {
		return fmt.Errorf("contains the path %s of the build", r.root)
	}
	if !bytes.Contains(binary, []byte(r.version)) {
		return fmt.Errorf("does not contain the version %s", r.version)
	}
	info, err := buildinfo.Read(bytes.NewReader(binary))
	if err != nil {
		return err
	}
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	listed, err := decodeBOM(text)
	if err != nil {
		return fmt.Errorf("%s: %w", list, err)
	}
	for _, want := range moduleComponents(info) {
		if !slices.ContainsFunc(listed.Components, func(c component) bool { return c.Ref == want.Ref }) {
			return fmt.Errorf("%s: does not list %s", list, want.Ref)
		}
	}
	return nil
}

// untarred returns the first file of an archive.
func untarred(file string) ([]byte, error) {
	packed, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	unzipper, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	archive := tar.NewReader(unzipper)
	header, err := archive.Next()
	if err != nil {
		return nil, err
	}
	return readServer(header.Name, archive)
}

// unzipped is untarred for Windows.
func unzipped(file string) ([]byte, error) {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	if len(archive.File) == 0 {
		return nil, errors.New("is empty")
	}
	first, err := archive.File[0].Open()
	if err != nil {
		return nil, err
	}
	defer first.Close()
	return readServer(archive.File[0].Name, first)
}

func readServer(name string, content io.Reader) ([]byte, error) {
	if base := path.Base(name); base != "edgeauth" && base != "edgeauth.exe" {
		return nil, fmt.Errorf("the first file is %s, want the server", name)
	}
	return io.ReadAll(content)
}

// decodeBOM reads a bill of materials.
func decodeBOM(text []byte) (bom, error) {
	var list bom
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&list)
	return list, err
}
