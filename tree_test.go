package wsx_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// goFile is one Go file of the tree, of any of its modules.
type goFile struct {
	path   string // from the root, with slashes
	dir    string // its folder, "." for the root
	module string // the folder of its module, "." for the root
	fset   *token.FileSet
	syntax *ast.File
}

func (f goFile) test() bool { return strings.HasSuffix(f.path, "_test.go") }

// external reports whether f belongs to a test package beside the package, as hub_test to hub.
func (f goFile) external() bool {
	return f.test() && strings.HasSuffix(f.syntax.Name.Name, "_test")
}

// lines returns how many lines lie from one position to another, both included.
func (f goFile) lines(from, to token.Pos) int {
	return f.fset.Position(to).Line - f.fset.Position(from).Line + 1
}

// goFiles returns every Go file of the tree, whatever its build constraints. It reads the files itself: a test that
// asked "go list" would pass from the test cache over a change, which is kept by the files that a test opens.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	files, err := parseTree()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("found no Go file")
	}
	return files
}

var parseTree = sync.OnceValues(func() ([]goFile, error) {
	var files []goFile
	fset := token.NewFileSet()
	modules := map[string]string{".": "."} // folder → folder of its module
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return enter(modules, name, d.Name())
		case filepath.Ext(name) != ".go":
			return nil
		}
		syntax, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := filepath.Dir(name)
		files = append(files, goFile{
			path: filepath.ToSlash(name), dir: filepath.ToSlash(dir), module: modules[dir], fset: fset, syntax: syntax,
		})
		return nil
	})
	return files, err
})

// enter notes which module the folder belongs to, or skips what is no part of any.
func enter(modules map[string]string, folder, base string) error {
	if folder == "." {
		return nil
	}
	if base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return filepath.SkipDir
	}
	modules[folder] = modules[filepath.Dir(folder)]
	if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
		modules[folder] = filepath.ToSlash(folder)
	}
	return nil
}

const (
	maxFileLines = 400 // 300 are the habit; past this a second noun lives in the file
	maxFuncLines = 100 // 40 are the habit
)

func TestFilesAndFunctionsAreShort(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.test() {
			continue
		}
		if n := f.lines(f.syntax.FileStart, f.syntax.FileEnd-1); n > maxFileLines {
			t.Errorf("%s has %d lines, at most %d: move a noun to a file of its own", f.path, n, maxFileLines)
		}
		for _, decl := range f.syntax.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := f.lines(fn.Pos(), fn.End()); n > maxFuncLines {
				t.Errorf("%s: %s has %d lines, at most %d", f.path, fn.Name.Name, n, maxFuncLines)
			}
		}
	}
}

const maxColumns = 120 // of a comment, a tab being four

// TestCommentsAreNarrow looks at lines that hold a comment and nothing else; directives may be as wide as they are.
func TestCommentsAreNarrow(t *testing.T) {
	for _, f := range goFiles(t) {
		source, err := os.ReadFile(f.path)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range wideComments(string(source)) {
			t.Errorf("%s:%d: a comment of more than %d columns", f.path, n, maxColumns)
		}
	}
}

// wideComments returns the numbers of the lines that hold nothing but a comment and are too wide.
func wideComments(source string) (numbers []int) {
	n := 0
	for line := range strings.Lines(source) {
		n++
		text := strings.TrimLeft(line, "\t")
		comment := strings.HasPrefix(text, "// ") || strings.HasPrefix(text, "//\t")
		line = strings.ReplaceAll(strings.TrimRight(line, "\n"), "\t", "    ")
		if comment && utf8.RuneCountInString(line) > maxColumns {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

func TestWideComments(t *testing.T) {
	fits, wide := strings.Repeat("→", 113), strings.Repeat("→", 114)
	source := "\t// " + fits + "\n\t// " + wide + "\n//go:build " + wide + "\nx := 1 // " + wide + "\n\t//\t" + fits[:len("→")*111] + "\n"
	if got := wideComments(source); !slices.Equal(got, []int{2, 5}) {
		t.Errorf("got the lines %v, want 2 and 5", got)
	}
}

// TestNoSleepOutsideABubble forbids time.Sleep in test files that do not import testing/synctest: a wait on the real
// clock is either too short on a slow machine or too long on every other one. By file, not by function: a helper of a
// bubble cannot be told from one that is called outside.
func TestNoSleepOutsideABubble(t *testing.T) {
	for _, f := range goFiles(t) {
		if !f.test() || importsPath(f.syntax, "testing/synctest") {
			continue
		}
		for _, pos := range sleeps(f.syntax) {
			t.Errorf("%s sleeps on the real clock; wait for the event, or use testing/synctest", f.fset.Position(pos))
		}
	}
}

// TestWhatCountsAllocationsIsRun: check runs tests without the race detector by their name.
func TestWhatCountsAllocationsIsRun(t *testing.T) {
	const name = "Allocat"
	if check, err := os.ReadFile("check"); err != nil || !strings.Contains(string(check), "-run="+name+" ") {
		t.Errorf("check does not run %s: %v", name, err)
	}
	for _, f := range goFiles(t) {
		source, err := os.ReadFile(f.path)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(source), "\n")
		if !f.test() || !strings.HasPrefix(first, "//go:build ") || !strings.Contains(first, "!race") {
			continue
		}
		if f.module != "." {
			t.Errorf("%s: check runs no test without the race detector in %s", f.path, f.module)
		}
		for _, decl := range f.syntax.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if ok && strings.HasPrefix(fn.Name.Name, "Test") && !strings.Contains(fn.Name.Name, name) {
				t.Errorf("%s: check does not run %s, which has no %s in its name", f.path, fn.Name.Name, name)
			}
		}
	}
}

func importsPath(syntax *ast.File, target string) bool {
	for _, spec := range syntax.Imports {
		if spec.Path.Value == `"`+target+`"` {
			return true
		}
	}
	return false
}

// sleeps returns where a file uses time.Sleep.
func sleeps(syntax *ast.File) []token.Pos {
	var found []token.Pos
	ast.Inspect(syntax, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok || sel.Sel.Name != "Sleep" {
			return true
		}
		if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" {
			found = append(found, sel.Pos())
		}
		return true
	})
	return found
}

func TestSleepsAreFound(t *testing.T) {
	const src = "package p\nfunc f() { time.Sleep(1); defer time.Sleep(2); clock.Sleep(3) }\n"
	syntax, err := parser.ParseFile(token.NewFileSet(), "p.go", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(sleeps(syntax)); got != 2 {
		t.Errorf("found %d sleeps, want 2", got)
	}
}

// machinePath matches the absolute paths that one machine has and another has not.
var machinePath = regexp.MustCompile(`(^|[\s"'=:(\x60])(/(root|work|workspace)/|/(home|Users)/\w+/|[A-Z]:\\Users\\)`)

// TestNoMachinePaths reads every tracked text file: a path of the machine that somebody worked on helps nobody else.
func TestNoMachinePaths(t *testing.T) {
	for _, name := range trackedFiles(t) {
		content, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue // deleted and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(content, 0) >= 0 {
			continue // not text
		}
		for i, line := range strings.Split(string(content), "\n") {
			if m := machinePath.FindString(line); m != "" {
				t.Errorf("%s:%d names a path of one machine: %q", name, i+1, m)
			}
		}
	}
}

// trackedFiles asks git, which also leaves out what a run of the examples wrote beside the sources.
func trackedFiles(t *testing.T) []string {
	t.Helper()
	if _, err := os.Stat(".git"); err != nil {
		skipOrFail(t, "this is no git checkout")
	}
	// The owner of a checkout that is mounted into a container is somebody else, which git would refuse.
	out, err := exec.CommandContext(t.Context(), "git", "-c", "safe.directory=*", "ls-files", "-z").Output()
	if err != nil {
		skipOrFail(t, "git ls-files: "+err.Error())
	}
	files := strings.Split(strings.TrimRight(string(out), "\x00"), "\x00")
	if len(files) < 2 {
		t.Fatalf("git names %d files", len(files))
	}
	return files
}

func TestMachinePathsAreFound(t *testing.T) {
	root := "/" + "root/x" // split, so that this file does not name one
	for line, want := range map[string]bool{
		"see " + root:                  true,
		`"/` + `home/ann/wsx"`:         true,
		"PATH=/" + "work/main":         true,
		"https://example.com" + root:   false,
		"/usr/bin/chromium":            false,
		"github.com/fiberwsx/wsx/work": false,
	} {
		if got := machinePath.MatchString(line); got != want {
			t.Errorf("%q: found %t, want %t", line, got, want)
		}
	}
}
