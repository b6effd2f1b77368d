package wsx_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// workspaceGo is the version that the workspace asks for: one module above it would raise it for everybody.
const workspaceGo = "1.25.0"

// TestDependencies holds the versions that behaviour depends on. From v1.62 on fasthttp parses requests in ways that
// Fiber v2 does not expect, which breaks its security middleware in silence; the floors are fixes.
func TestDependencies(t *testing.T) {
	root := readModule(t, ".")
	for _, d := range []struct{ module, floor string }{
		{"github.com/gofiber/fiber/v2", "v2.52.13"},
		{"github.com/golang-jwt/jwt/v5", "v5.2.2"},
	} {
		switch version, ok := root.versions[d.module]; {
		case !ok:
			t.Errorf("go.mod does not require %s", d.module)
		case older(version, d.floor):
			t.Errorf("go.mod requires %s %s, older than %s", d.module, version, d.floor)
		}
	}
	if _, ok := root.versions["github.com/valyala/fasthttp"]; !ok {
		t.Error("go.mod does not require fasthttp")
	}
	for _, dir := range workspace(t) { // the highest version in any of them is the version of all
		m := readModule(t, dir)
		if v, ok := m.versions["github.com/valyala/fasthttp"]; ok && v != "v1.58.0" {
			t.Errorf("%s requires fasthttp %s, want exactly v1.58.0", m.file, v)
		}
		if m.goVersion != workspaceGo {
			t.Errorf("%s asks for go %s, want %s", m.file, m.goVersion, workspaceGo)
		}
	}
}

// TestWorkspaceHoldsEveryModule keeps go.work complete: what it does not list, the checks do not see. Only tools stays
// out, whose versions are nobody else's business.
func TestWorkspaceHoldsEveryModule(t *testing.T) {
	var found []string
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."), d.IsDir() && d.Name() == "testdata":
			return filepath.SkipDir
		case d.Name() == "go.mod" && filepath.Dir(name) != "tools":
			found = append(found, filepath.ToSlash(filepath.Dir(name)))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	used := workspace(t)
	slices.Sort(found)
	slices.Sort(used)
	if !slices.Equal(found, used) {
		t.Errorf("go.work uses %q, the tree holds %q", used, found)
	}
}

// workspace returns the folders of the modules that go.work uses.
func workspace(t *testing.T) []string {
	t.Helper()
	var dirs []string
	for _, fields := range directives(t, "go.work") {
		if fields[0] == "use" {
			dirs = append(dirs, filepath.ToSlash(filepath.Clean(fields[1])))
		}
	}
	return dirs
}

// moduleFile is what the tests want to know of a go.mod.
type moduleFile struct {
	file      string
	goVersion string
	versions  map[string]string // module → required version
}

func readModule(t *testing.T, dir string) moduleFile {
	t.Helper()
	m := moduleFile{file: filepath.Join(dir, "go.mod"), versions: make(map[string]string)}
	for _, fields := range directives(t, m.file) {
		switch {
		case fields[0] == "go":
			m.goVersion = fields[1]
		case fields[0] == "require" && len(fields) > 2:
			m.versions[fields[1]] = fields[2]
		}
	}
	return m
}

// directives returns the lines of a go.mod or go.work as fields, each with its directive in front, blocks unfolded.
func directives(t *testing.T, file string) [][]string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	block := ""
	for line := range strings.Lines(string(content)) {
		line, _, _ = strings.Cut(line, "//")
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
		case fields[0] == ")":
			block = ""
		case len(fields) == 2 && fields[1] == "(":
			block = fields[0]
		case block != "":
			all = append(all, append([]string{block}, fields...))
		case len(fields) > 1:
			all = append(all, fields)
		}
	}
	return all
}

// older reports whether version a comes before b; both are of the form v1.2.3, what follows is ignored.
func older(a, b string) bool {
	return slices.Compare(numbers(a), numbers(b)) < 0
}

func numbers(version string) []int {
	n := make([]int, 3)
	if _, err := fmt.Sscanf(version, "v%d.%d.%d", &n[0], &n[1], &n[2]); err != nil {
		return nil // older than everything
	}
	return n
}

func TestOlder(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"v2.52.9", "v2.52.13", true},
		{"v2.52.13", "v2.52.13", false},
		{"v2.53.0", "v2.52.13", false},
		{"v1.99.99", "v2.0.0", true},
		{"v2.52.13-rc.1", "v2.52.13", false},
		{"latest", "v0.0.1", true},
	} {
		if got := older(tt.a, tt.b); got != tt.want {
			t.Errorf("older(%s, %s) = %t, want %t", tt.a, tt.b, got, tt.want)
		}
	}
}
