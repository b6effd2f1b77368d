package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// copied is a copy of the tree, so that nobody's files are touched.
type copied struct{ dir string }

// newCopy copies what git knows of, and what is new and not ignored, as it is now.
func newCopy(ctx context.Context) (c copied, err error) {
	out, err := exec.CommandContext(ctx, "git", "-c", "safe.directory=*", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return c, fmt.Errorf("git: %w", err)
	}
	top := strings.TrimSpace(string(out))
	list := exec.CommandContext(ctx, "git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = top
	if out, err = list.Output(); err != nil {
		return c, fmt.Errorf("git ls-files: %w", err)
	}
	if c.dir, err = os.MkdirTemp("", "guards"); err != nil {
		return c, err
	}
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		if err := copyFile(filepath.Join(top, name), filepath.Join(c.dir, name)); err != nil {
			c.remove()
			return c, err
		}
	}
	return c, nil
}

func (c copied) remove() { _ = os.RemoveAll(c.dir) }

// copyFile copies a file that may have been deleted and not committed yet.
func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o600) //nolint:gosec // git names the files
}

// passes makes sure that the tests pass with every guard in its place: else their failure says nothing.
func (c copied) passes(ctx context.Context, chosen []guard, whole bool) error {
	patterns := make(map[string][]string)
	for _, g := range chosen {
		if !slices.Contains(patterns[g.pkg], g.tests) {
			patterns[g.pkg] = append(patterns[g.pkg], g.tests)
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(patterns)) {
		began := time.Now()
		out, err := c.test(ctx, pkg, strings.Join(patterns[pkg], "|"), whole)
		if err != nil {
			return fmt.Errorf("with every guard in its place the tests of %s fail:\n%s", pkg, out)
		}
		fmt.Printf("        %5.1fs  %-45s passes with every guard\n", time.Since(began).Seconds(), pkg)
	}
	return nil
}

// test runs the tests of a package. Tests that hang fail, after a while.
func (c copied) test(ctx context.Context, pkg, pattern string, whole bool) (out string, err error) {
	if whole {
		pattern = "."
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-vet=off", "-failfast", "-timeout=90s", "-run", pattern, pkg) //nolint:gosec // all of it from the table
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "GOWORK="+filepath.Join(c.dir, "go.work"), "GOFLAGS=-buildvcs=false")
	b, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return string(b), err
}

// verdict is what came of the removal of a guard.
type verdict struct {
	caught bool
	text   string
	took   time.Duration
}

// without runs the tests with one guard removed, and puts it back.
func (c copied) without(ctx context.Context, g guard, whole bool) (v verdict, err error) {
	file := filepath.Join(c.dir, filepath.FromSlash(g.file))
	content, err := os.ReadFile(file)
	if err != nil {
		return v, err
	}
	removed, ok := g.removed(string(content))
	if !ok {
		return verdict{text: "NOT FOUND: its text does not stand once in " + g.file}, nil
	}
	if err := os.WriteFile(file, []byte(removed), 0o600); err != nil { //nolint:gosec // the table names the file
		return v, err
	}
	began := time.Now()
	out, failed := c.test(ctx, g.pkg, g.tests, whole)
	if ctx.Err() != nil {
		return v, ctx.Err()
	}
	v = judge(out, failed)
	v.took = time.Since(began)
	return v, os.WriteFile(file, content, 0o600) //nolint:gosec // likewise
}

var (
	failedTest  = regexp.MustCompile(`(?m)^ *--- FAIL: (\S+)`)
	runningTest = regexp.MustCompile(`(?m)^\t+(Test\S+) \(`)
)

// judge reads what the go command said.
func judge(out string, failed error) verdict {
	switch {
	case failed == nil && strings.Contains(out, "[no tests to run]"):
		return verdict{text: "NOT CAUGHT: there is no such test"}
	case failed == nil:
		return verdict{text: "NOT CAUGHT"}
	case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
		return verdict{text: "DOES NOT COMPILE:\n" + out}
	}
	if m := failedTest.FindAllStringSubmatch(out, -1); m != nil {
		return verdict{caught: true, text: "caught by " + deepest(m)}
	}
	if m := runningTest.FindStringSubmatch(out); m != nil {
		return verdict{caught: true, text: "caught by " + m[1] + ", which did not end"}
	}
	if strings.Contains(out, "panic: ") || strings.Contains(out, "fatal error: ") {
		return verdict{caught: true, text: "caught: the test process died"}
	}
	return verdict{caught: true, text: "caught by the end of the run"}
}

// deepest returns the first failed test, with the first of its subtests.
func deepest(failed [][]string) string {
	name := failed[0][1]
	for _, m := range failed[1:] {
		if strings.HasPrefix(m[1], name+"/") {
			name = m[1]
		}
	}
	return name
}
