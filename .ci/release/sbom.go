package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
)

// component is a part of a program in CycloneDX 1.6.
type component struct {
	Type    string `json:"type"`
	Ref     string `json:"bom-ref"`
	Name    string `json:"name"`
	Version string `json:"version"`
	URL     string `json:"purl"`
	Hashes  []hash `json:"hashes,omitempty"`
	// Properties contain the digest of go.sum, which CycloneDX has no field for.
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// dependency lists what a component contains.
type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

// bom is a software bill of materials in CycloneDX 1.6.
type bom struct {
	Schema   string      `json:"$schema"`
	Format   string      `json:"bomFormat"`
	Spec     string      `json:"specVersion"`
	Serial   string      `json:"serialNumber"`
	Version  int         `json:"version"`
	Metadata bomMetadata `json:"metadata"`

	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type bomMetadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

// goModule returns the component of a Go module.
func goModule(path, version, sum string) component {
	url := "pkg:golang/" + path + "@" + version
	c := component{Type: "library", Ref: url, Name: path, Version: version, URL: url}
	if sum != "" {
		c.Properties = []property{{"go:sum", sum}}
	}
	return c
}

// binaryModules lists the modules in a binary from what the linker recorded in it.
func binaryModules(binary string) ([]component, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	return moduleComponents(info), nil
}

func moduleComponents(info *debug.BuildInfo) []component {
	components := []component{goModule("std", strings.TrimPrefix(info.GoVersion, "go"), "")}
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		components = append(components, goModule(dep.Path, dep.Version, dep.Sum))
	}
	slices.SortFunc(components, func(a, b component) int { return strings.Compare(a.Ref, b.Ref) })
	return components
}

// writeBOM writes the bill of materials of a program.
func (r *release) writeBOM(file, name, program string, components []component) error {
	data, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(data)
	main := goModule(module, r.version, "")
	main.Type, main.Name = "application", name
	main.Hashes = []hash{{"SHA-256", fmt.Sprintf("%x", digest)}}
	list := bom{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", Format: "CycloneDX", Spec: "1.6", Serial: serial(digest), Version: 1,
		Metadata:   bomMetadata{Timestamp: r.time.Format("2006-01-02T15:04:05Z"), Component: main},
		Components: components,
	}
	contained := dependency{Ref: main.Ref}
	for _, c := range components {
		contained.DependsOn = append(contained.DependsOn, c.Ref)
	}
	list.Dependencies = []dependency{contained}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(list); err != nil {
		return err
	}
	return r.write(file, text.Bytes())
}

// serial makes a UUID of version 8 from a digest, so that a program always has the same.
func serial(digest [sha256.Size]byte) string {
	id := digest[:16]
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
