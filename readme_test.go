package wsx_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
)

var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

// pagesWithGo are pages all of whose Go is built, with how many files that is.
var pagesWithGo = map[string]int{
	"README.md": 3, "docs/handlers.md": 3, "docs/delivery.md": 1, "docs/shutdown.md": 2,
	"docs/migrate-contrib.md": 3, "docs/migrate-melody.md": 1, "docs/rooms.md": 1,
}

// TestPagesCompile builds every Go file of these pages.
func TestPagesCompile(t *testing.T) {
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	replace := make(map[string]string)
	overlayFile := filepath.Join(t.TempDir(), "overlay.json")
	args := []string{"build", "-o", t.TempDir(), "-overlay", overlayFile}
	for page, count := range pagesWithGo {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		programs := goBlock.FindAllSubmatch(text, -1)
		if len(programs) != count {
			t.Fatalf("%s: found %d files, want %d", page, len(programs), count)
		}
		for i, p := range programs {
			file := filepath.Join(t.TempDir(), "page.go")
			if err := os.WriteFile(file, p[1], 0o600); err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprintf("page_%s_%d", strings.TrimSuffix(filepath.Base(page), ".md"), i)
			replace[filepath.Join(root, "internal", name, "page.go")] = file
			args = append(args, "./internal/"+name)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go %v: %v\n%s", args, err, out)
	}
}

// TestREADMEHasEverySetting looks for each field of the two configurations in the first column of a table.
func TestREADMEHasEverySetting(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var settings strings.Builder
	for line := range strings.Lines(string(text)) {
		if columns := strings.Split(line, "|"); len(columns) > 2 {
			settings.WriteString(columns[1])
		}
	}
	for _, config := range []reflect.Type{reflect.TypeFor[wsx.Config](), reflect.TypeFor[hub.Config]()} {
		for _, field := range reflect.VisibleFields(config) {
			if field.IsExported() && !strings.Contains(settings.String(), "`"+field.Name+"`") {
				t.Errorf("%v.%s is missing", config, field.Name)
			}
		}
	}
}

// compiledElsewhere are pages whose Go another test builds.
var compiledElsewhere = map[string]string{
	"docs/auth.md": "TestAuthPageCompiles", "docs/ingest.md": "TestIngestPageCompiles",
}

// TestAllGoIsBuilt looks for Go on every page, however its block is marked.
func TestAllGoIsBuilt(t *testing.T) {
	marked := regexp.MustCompile("(?mi)^[ \t>]*(```|~~~)[ \t]*(go|golang)\\b")
	declared, found := declaredTests(t), 0
	for _, name := range trackedFiles(t) {
		if filepath.Ext(name) != ".md" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		blocks := len(marked.FindAll(text, -1))
		if blocks == 0 {
			continue
		}
		found++
		if n := len(goBlock.FindAll(text, -1)); n != blocks {
			t.Errorf("%s has %d blocks of Go, of which %d are marked as such", name, blocks, n)
		}
		if pagesWithGo[name] == 0 && !declared[compiledElsewhere[name]] {
			t.Errorf("%s has Go that no test builds", name)
		}
	}
	if found < len(pagesWithGo)+len(compiledElsewhere) {
		t.Errorf("found Go on %d pages", found)
	}
}

// maxHead is how many lines at the top of an example may say what to copy and what to change.
const maxHead = 5

// TestExamplesSayWhatToCopy looks at the top of each example that is there to be copied: behind the paragraph that says
// what it is stand at most five lines that say what to copy and what to change, and nothing else.
func TestExamplesSayWhatToCopy(t *testing.T) {
	found := 0
	for _, f := range goFiles(t) {
		if f.module != "examples" || f.syntax.Name.Name != "main" || filepath.Base(f.path) != "main.go" || f.dir == "examples/telemetry/ledger" {
			continue
		}
		found++
		for _, fault := range headFaults(f.syntax.Doc.Text()) {
			t.Errorf("%s %s", f.path, fault)
		}
	}
	if found < 6 {
		t.Errorf("found %d examples", found)
	}
}

// headFaults returns what is wrong with the comment at the top of an example.
func headFaults(doc string) (faults []string) {
	_, head, _ := strings.Cut(doc, "\n\n")
	if !strings.HasPrefix(head, "Copy ") {
		faults = append(faults, "does not say at its top what to copy")
	}
	if !slices.Contains(strings.Fields(strings.ToLower(head)), "change") {
		faults = append(faults, "does not say at its top what to change")
	}
	lines := 0
	for line := range strings.Lines(head) {
		if strings.TrimSpace(line) != "" {
			lines++
		}
	}
	if lines > maxHead {
		faults = append(faults, fmt.Sprintf("has %d lines at its top about what to copy and what to change, want %d at most", lines, maxHead))
	}
	return faults
}

func TestHeadsWithFaults(t *testing.T) {
	const good = "Command x is one.\n\nCopy main. Change the rest.\n"
	for doc, want := range map[string]int{
		good:                                   0,
		good + "\n\tone\n\ttwo\n\tthree\n\n":   0,
		good + "two\nthree\nfour\nfive\nsix\n": 1,
		"Command x is one.\n":                  2,
		"Command x is one.\n\nChange it.\n":    1,
	} {
		if got := headFaults(doc); len(got) != want {
			t.Errorf("%q: %q", doc, got)
		}
	}
}
