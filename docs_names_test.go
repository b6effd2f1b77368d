package wsx_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
)

var (
	quotedCode = regexp.MustCompile("`([^`]+)`")
	configOf   = regexp.MustCompile(`\b(hub|wsx|fiber)\.Config\.(\w+)`)
	callOf     = regexp.MustCompile(`(\w+|\))\.(\w+)\(`)
	nameOf     = regexp.MustCompile(`\b(hub|ws|wsx)\.([A-Z]\w*)`)
)

// names returns what a package of the project exports, constants too.
func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	for _, f := range goFiles(t) {
		if f.dir != dir || f.test() {
			continue
		}
		all = append(all, exports(f.syntax)...)
		for _, decl := range f.syntax.Decls {
			if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.CONST {
				for _, spec := range d.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						all = append(all, name.Name)
					}
				}
			}
		}
	}
	return all
}

// missing returns what of a piece of code there is not.
func missing(code string, packages map[string][]string) (faults []string) {
	configs := map[string]reflect.Type{
		"hub": reflect.TypeFor[hub.Config](), "wsx": reflect.TypeFor[wsx.Config](), "fiber": reflect.TypeFor[fiber.Config](),
	}
	methods := map[string][]reflect.Type{
		"h": {reflect.TypeFor[*hub.Hub]()}, "c": {reflect.TypeFor[*hub.Conn]()}, "m": {reflect.TypeFor[hub.Message]()},
		")": {reflect.TypeFor[hub.Target](), reflect.TypeFor[hub.Room]()},
	}
	for _, m := range configOf.FindAllStringSubmatch(code, -1) {
		if _, ok := configs[m[1]].FieldByName(m[2]); !ok {
			faults = append(faults, m[0])
		}
	}
	for _, m := range callOf.FindAllStringSubmatch(code, -1) {
		if types := methods[m[1]]; types != nil && !slices.ContainsFunc(types, func(t reflect.Type) bool {
			_, ok := t.MethodByName(m[2])
			return ok
		}) {
			faults = append(faults, m[0])
		}
	}
	for _, m := range nameOf.FindAllStringSubmatch(code, -1) {
		if !slices.Contains(packages[m[1]], m[2]) {
			faults = append(faults, m[0])
		}
	}
	return faults
}

// TestPagesNameWhatExists looks up every call, setting and name that these pages give for ours, and those of contrib in
// its column.
func TestPagesNameWhatExists(t *testing.T) {
	packages := map[string][]string{"hub": names(t, "hub"), "ws": names(t, "ws"), "wsx": names(t, ".")}
	for page, fewest := range map[string]int{"docs/migrate-contrib.md": 50, "docs/migrate-melody.md": 60, "docs/rooms.md": 20} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for line := range strings.Lines(goBlock.ReplaceAllString(string(text), "")) {
			ours := line
			if theirs, rest, ok := strings.Cut(strings.TrimPrefix(line, "|"), "|"); ok {
				ours = rest
				for _, fault := range missingOfContrib(page, theirs) {
					t.Errorf("%s: contrib has no %s", page, fault)
				}
			}
			for _, code := range quotedCode.FindAllStringSubmatch(ours, -1) {
				found++
				for _, fault := range missing(code[1], packages) {
					t.Errorf("%s: there is no %s", page, fault)
				}
			}
		}
		if found < fewest {
			t.Errorf("%s: found only %d pieces of code", page, found)
		}
	}
}

// missingOfContrib returns what contrib lacks of a cell of its column.
func missingOfContrib(page, cell string) (faults []string) {
	if !strings.Contains(page, "contrib") {
		return nil
	}
	for _, m := range regexp.MustCompile("`(c|Config)\\.(\\w+)").FindAllStringSubmatch(cell, -1) {
		conn, config := reflect.TypeFor[*websocket.Conn](), reflect.TypeFor[websocket.Config]()
		_, method := conn.MethodByName(m[2])
		_, field := config.FieldByName(m[2])
		if m[1] == "c" && !method || m[1] == "Config" && !field {
			faults = append(faults, m[0])
		}
	}
	return faults
}

// TestMissingNames shows that the check sees a name that there is not.
func TestMissingNames(t *testing.T) {
	packages := map[string][]string{"hub": {"Config", "On"}, "wsx": {"Config"}}
	for code, want := range map[string]string{
		"h.All().Except(c).SendText(s)": "[]", "hub.Config.OnMessage": "[]", "hub.On": "[]", "wsx.Config.Next": "[]",
		"h.Every().Send(m)": "[h.Every(]", "h.All().Without(c)": "[).Without(]", "c.Locals(key)": "[c.Locals(]",
		"hub.Config.Origins": "[hub.Config.Origins]", "hub.Once": "[hub.Once]",
	} {
		if got := fmt.Sprint(missing(code, packages)); got != want {
			t.Errorf("%s: got %s, want %s", code, got, want)
		}
	}
}
