package wsx_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/fiberwsx/wsx"

// imports is the architecture: what each package of the root module may import of the project. Arrows run the way the
// data runs, from the edge through the hub to the leaves, and the leaves know nothing of each other.
var imports = map[string]string{
	".":                   "ws hub auth ratelimit internal/origin internal/turn",
	"hub":                 "ws auth codec rooms ratelimit batch heartbeat internal/deflate internal/later internal/turn internal/wire",
	"codec/codectest":     "codec hub ws wsxtest",
	"internal/wire":       "internal/deflate internal/later internal/turn ws",
	"wsxtest":             "ws internal/wire",
	"auth/jwt":            "auth",
	"auth":                "", // from here on the leaves: the standard library only
	"batch":               "",
	"codec":               "",
	"heartbeat":           "",
	"internal/deflate":    "",
	"internal/guards":     "",
	"internal/later":      "",
	"internal/origin":     "",
	"internal/turn":       "",
	"ratelimit":           "",
	"rooms":               "",
	"ws":                  "",
	"wsxtest/conformance": "", // as independent of what it tests as a test can be
}

// thirdParty is what a package may import from outside the project and the standard library.
// Test files may import what they like.
var thirdParty = map[string]string{
	".":                "github.com/gofiber/fiber/v2 github.com/valyala/fasthttp github.com/gofiber/contrib/websocket",
	"internal/deflate": "github.com/klauspost/compress/flate",
	"auth/jwt":         "github.com/golang-jwt/jwt/v5",
}

// speaksHTTP names the packages that may know net/http: the hub and all below it only ever see a net.Conn.
const speaksHTTP = ". wsxtest wsxtest/conformance"

func TestImports(t *testing.T) {
	seen := make(map[string]bool)
	for _, f := range goFiles(t) {
		if f.module != "." {
			continue
		}
		seen[f.dir] = true
		for _, fault := range importFaults(f) {
			t.Errorf("%s: %s", f.path, fault)
		}
	}
	for pkg := range seen {
		if _, ok := imports[pkg]; !ok {
			t.Errorf("package %s has no entry in the map of imports", pkg)
		}
	}
	for pkg := range imports {
		if !seen[pkg] {
			t.Errorf("the map of imports names %s, which holds no Go file", pkg)
		}
	}
}

// importFaults tells which imports of f the graph does not allow.
func importFaults(f goFile) []string {
	var faults []string
	for _, spec := range f.syntax.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return []string{err.Error()}
		}
		if !mayImport(f, target) {
			faults = append(faults, fmt.Sprintf("package %s may not import %s", f.dir, target))
		}
	}
	return faults
}

// mayImport reports whether the graph lets f import target. Tests obey the same arrows; an external test package may
// also import the package that it tests and wsxtest, and that of the root, which is where a user's program stands, may
// import every package of the module.
func mayImport(f goFile, target string) bool {
	if rel, ok := projectPackage(target); ok {
		if f.external() && (f.dir == "." || rel == f.dir || rel == "wsxtest") {
			return true
		}
		return slices.Contains(strings.Fields(imports[f.dir]), rel)
	}
	switch first, _, _ := strings.Cut(target, "/"); {
	case f.test():
		return true
	case strings.Contains(first, "."):
		return slices.Contains(strings.Fields(thirdParty[f.dir]), target)
	case target == "net/http" || strings.HasPrefix(target, "net/http/"):
		return slices.Contains(strings.Fields(speaksHTTP), f.dir)
	}
	return true
}

// projectPackage returns the folder of an import path of this project, "." for the root.
func projectPackage(target string) (dir string, ok bool) {
	if target == module {
		return ".", true
	}
	return strings.CutPrefix(target, module+"/")
}

// TestImportFaults shows that the check sees a violation when there is one.
func TestImportFaults(t *testing.T) {
	tests := []struct {
		path, pkg, imported string
		allowed             bool
	}{
		{"hub/conn.go", "hub", module + "/rooms", true},
		{"hub/conn.go", "hub", module, false},
		{"hub/conn.go", "hub", module + "/internal/origin", false},
		{"hub/conn.go", "hub", "net/http", false},
		{"hub/conn.go", "hub", "github.com/gofiber/fiber/v2", false},
		{"hub/conn_test.go", "hub", module + "/wsxtest", false},
		{"hub/conn_test.go", "hub_test", module + "/wsxtest", true},
		{"hub/conn_test.go", "hub_test", module + "/hub", true},
		{"hub/conn_test.go", "hub_test", module, false},
		{"rooms/registry.go", "rooms", "maps", true},
		{"rooms/registry.go", "rooms", module + "/ws", false},
		{"rooms/registry.go", "rooms", "go.uber.org/goleak", false},
		{"rooms/registry_test.go", "rooms_test", "go.uber.org/goleak", true},
		{"rooms/registry_test.go", "rooms_test", module + "/hub", false},
		{"auth/jwt/key.go", "jwt", "github.com/golang-jwt/jwt/v5", true},
		{"auth/key.go", "auth", "github.com/golang-jwt/jwt/v5", false},
		{"middleware.go", "wsx", "github.com/gofiber/fiber/v2", true},
		{"middleware.go", "wsx", module + "/wsxtest", false},
		{"middleware.go", "wsx", module + "/internal/wire", false},
		{"middleware_test.go", "wsx_test", module + "/auth/jwt", true},
		{"unknown/file.go", "unknown", module + "/ws", false},
	}
	for _, tt := range tests {
		src := fmt.Sprintf("package %s\n\nimport _ %q\n", tt.pkg, tt.imported)
		syntax, err := parser.ParseFile(token.NewFileSet(), tt.path, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		f := goFile{path: tt.path, dir: path.Dir(tt.path), module: ".", syntax: syntax}
		if allowed := len(importFaults(f)) == 0; allowed != tt.allowed {
			t.Errorf("package %s in %s importing %s: allowed %t, want %t", tt.pkg, tt.path, tt.imported, allowed, tt.allowed)
		}
	}
}

// TestEveryPackageHasOneComment asks for exactly one package comment: none leaves the reader without a start, and of
// two nobody knows which one is kept up.
func TestEveryPackageHasOneComment(t *testing.T) {
	comments := make(map[string][]string)
	for _, f := range goFiles(t) {
		if f.test() {
			continue
		}
		comments[f.dir] = append(comments[f.dir], packageComment(t, f)...)
	}
	for _, dir := range slices.Sorted(maps.Keys(comments)) {
		if files := comments[dir]; len(files) != 1 {
			t.Errorf("%s has %d package comments, want 1: %q", dir, len(files), files)
		}
	}
}

// packageComment returns the file's path when it holds a package comment, and wants it to begin as godoc does.
func packageComment(t *testing.T, f goFile) []string {
	t.Helper()
	text := f.syntax.Doc.Text()
	if text == "" {
		return nil
	}
	want := "Package " + f.syntax.Name.Name + " "
	if f.syntax.Name.Name == "main" {
		want = "Command " + path.Base(f.dir) + " "
	}
	if !strings.HasPrefix(text, want) {
		t.Errorf("%s: the package comment does not begin with %q", f.path, want)
	}
	return []string{f.path}
}

// isLeaf reports whether a package of the root module imports nothing of the project.
func isLeaf(pkg string) bool {
	arrows, ok := imports[pkg]
	return ok && arrows == ""
}

// maxExports is how many names a leaf may export. Constants do not count: a list of codes is one thing to learn.
// Neither do methods and fields: their type is the name that one has to find, and a wide type shows in its file's
// length.
const maxExports = 25

func TestLeavesExportLittle(t *testing.T) {
	names := make(map[string][]string)
	for _, f := range goFiles(t) {
		if f.module == "." && !f.test() && isLeaf(f.dir) {
			names[f.dir] = append(names[f.dir], exports(f.syntax)...)
		}
	}
	for dir, exported := range names {
		if len(exported) > maxExports {
			t.Errorf("%s exports %d names, at most %d are to be learnt: %s", dir, len(exported), maxExports, exported)
		}
	}
}

// exports returns the exported types, functions and variables of a file.
func exports(syntax *ast.File) []string {
	var names []string
	for _, decl := range syntax.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			names = append(names, declared(d)...)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return !ast.IsExported(name) })
}

// declared returns the names of the types and variables that d declares.
func declared(d *ast.GenDecl) []string {
	var names []string
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			names = append(names, s.Name.Name)
		case *ast.ValueSpec:
			for _, name := range s.Names {
				if d.Tok == token.VAR {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}
