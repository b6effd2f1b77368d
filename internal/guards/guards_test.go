package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTableIsCurrent keeps the table from rotting: the whole run takes long, and this does not.
func TestTableIsCurrent(t *testing.T) {
	const fewest = 60
	all := guards()
	if len(all) < fewest {
		t.Errorf("there are %d guards, want %d at least", len(all), fewest)
	}
	names := make(map[string]bool)
	for _, g := range all {
		if names[g.name] {
			t.Errorf("two guards are named %q", g.name)
		}
		names[g.name] = true
		content, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(g.file)))
		if err != nil {
			t.Error(err)
			continue
		}
		if changed, ok := g.removed(string(content)); !ok {
			t.Errorf("%s: %s has its text %d times, want once:\n%s", g.name, g.file, strings.Count(string(content), g.text), g.text)
		} else if changed == string(content) {
			t.Errorf("%s: its removal changes nothing", g.name)
		}
	}
}

// TestNamedTestsExist checks that each guard's pattern names tests of its package.
func TestNamedTestsExist(t *testing.T) {
	declared := make(map[string][]string)
	for _, g := range guards() {
		if declared[g.pkg] == nil {
			declared[g.pkg] = testsOf(t, g.pkg)
		}
		for part := range strings.SplitSeq(g.tests, "|") {
			pattern, err := regexp.Compile(strings.Split(part, "/")[0])
			if err != nil {
				t.Errorf("%s: %v", g.name, err)
				continue
			}
			if !slices.ContainsFunc(declared[g.pkg], pattern.MatchString) {
				t.Errorf("%s: no test of %s is named like %q", g.name, g.pkg, part)
			}
		}
	}
}

func testsOf(t *testing.T, pkg string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(pkg), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	declaration := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range declaration.FindAllStringSubmatch(string(content), -1) {
			names = append(names, m[1])
		}
	}
	return names
}

func TestJudge(t *testing.T) {
	failed := errors.New("exit status 1")
	for _, row := range []struct {
		out    string
		err    error
		caught bool
		text   string
	}{
		{"ok \tx\t0.1s\n", nil, false, "NOT CAUGHT"},
		{"ok \tx\t0.1s [no tests to run]\n", nil, false, "NOT CAUGHT: there is no such test"},
		{"--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/b (0.00s)\n--- FAIL: TestC (0.00s)\nFAIL\n", failed, true, "caught by TestA/b"},
		{"panic: test timed out after 3m0s\n\trunning tests:\n\t\tTestX (3m0s)\n", failed, true, "caught by TestX, which did not end"},
		{"panic: runtime error: index out of range\n", failed, true, "caught: the test process died"},
		{"goleak: Errors on successful test run\nFAIL\n", failed, true, "caught by the end of the run"},
	} {
		if v := judge(row.out, row.err); v.caught != row.caught || v.text != row.text {
			t.Errorf("%q: got %t, %q", row.out, v.caught, v.text)
		}
	}
	if v := judge("# x\nx.go:1: undefined: y\nFAIL\tx [build failed]\n", failed); v.caught || !strings.HasPrefix(v.text, "DOES NOT COMPILE") {
		t.Errorf("got %t, %q", v.caught, v.text)
	}
}

func TestRemovedWantsTheTextOnce(t *testing.T) {
	g := guard{name: "g", text: "if bad {", other: "if false {"}
	if got, ok := g.removed("if bad {}"); !ok || got != "if false {}" {
		t.Errorf("got %q, %t", got, ok)
	}
	for _, content := range []string{"", "if bad {} if bad {}"} {
		if _, ok := g.removed(content); ok {
			t.Errorf("%q was taken", content)
		}
	}
}
