package testkit

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestMain(m *testing.M) { VerifyMain(m) }

// crash is a program that crashes at its first and its second start, and is Chromium at the third.
const crash = `#!/bin/sh
ulimit -c 0
mkdir %[1]q.1 2>/dev/null && kill -TRAP $$
mkdir %[1]q.2 2>/dev/null && kill -TRAP $$
exec %[2]q "$@"
`

// A Chromium that crashes before it has seen a page is not what a test is about.
func TestBrowserThatCrashesAtItsStart(t *testing.T) {
	crashes := filepath.Join(t.TempDir(), "chromium")
	script := fmt.Sprintf(crash, crashes, findChromium(t))
	if err := os.WriteFile(crashes, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(crashes)+string(os.PathListSeparator)+os.Getenv("PATH"))
	b := OpenBrowser(t)
	if got := Eval[int](t, b, "6 * 7"); got != 42 {
		t.Errorf("its page says %d", got)
	}
	for _, start := range []string{".1", ".2"} {
		if _, err := os.Stat(crashes + start); err != nil {
			t.Error(err)
		}
	}
}
