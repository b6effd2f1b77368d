package testkit

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
)

// faint finds text that stands out too little from what is behind it (WCAG 2.2, 1.4.3), and things to press that are
// too small (2.5.8).
const faint = `(() => {
	const channels = (color) => color.match(/[\d.]+/g).map(Number);
	const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255)
		.map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = (e) => {
		for (; e; e = e.parentElement) {
			const color = channels(getComputedStyle(e).backgroundColor);
			if (color.length === 3 || color[3] === 1) return color;
		}
		return [255, 255, 255];
	};
	const found = [];
	for (const e of document.body.querySelectorAll("*")) {
		if (!e.checkVisibility()) continue;
		const text = [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
		if (text || e.matches("input, textarea")) {
			const a = luminance(channels(getComputedStyle(e).color)), b = luminance(behind(e));
			const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
			if (contrast < 4.5) found.push(e.outerHTML.slice(0, 100) + " has a contrast of " + contrast.toFixed(2));
		}
		const { width, height } = e.getBoundingClientRect();
		if (e.matches("button, input, textarea, summary") && Math.min(width, height) < 24) {
			found.push(e.outerHTML.slice(0, 100) + " is " + width + " by " + height);
		}
	}
	return found;
})()`

// axe is what axe-core finds that is serious; it is there with WSX_AXE alone.
const axe = `axe.run().then(({ violations }) => JSON.stringify(violations
	.filter((v) => ["serious", "critical"].includes(v.impact))
	.map((v) => v.id + ": " + v.help + " " + v.nodes.map((n) => n.html).join(" "))))`

// Accessible checks that everything on the page has a name, contrast and size enough, and that there are landmarks of
// these roles. Chromium itself says what a screen reader is told.
func (b *Browser) Accessible(t *testing.T, landmarks ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b, Patience)
	defer cancel()
	tree, err := chromedp.Call(ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		t.Fatal(err)
	}
	needNames := []string{"button", "textbox", "log", "list", "navigation", "complementary", "heading", "DisclosureTriangle"}
	var roles []string
	for _, n := range tree.Nodes {
		role, name := axText(n.Role), axText(n.Name)
		if n.Ignored {
			continue
		}
		roles = append(roles, role)
		if name == "" && slices.Contains(needNames, role) {
			t.Errorf("a %s has no name", role)
		}
	}
	for _, role := range landmarks {
		if !slices.Contains(roles, role) {
			t.Errorf("there is no %s among %v", role, roles)
		}
	}
	for _, problem := range Eval[[]string](t, b, faint) {
		t.Error(problem)
	}
	b.axe(t)
}

func axText(v *accessibility.Value) (s string) {
	if v != nil {
		_ = json.Unmarshal([]byte(v.Value), &s)
	}
	return s
}

// axe runs axe-core, whose axe.min.js WSX_AXE names; ./check brings it. With WSX_REQUIRE=all it has to be there.
func (b *Browser) axe(t *testing.T) {
	t.Helper()
	file := os.Getenv("WSX_AXE")
	if file == "" {
		if os.Getenv("WSX_REQUIRE") == "all" {
			t.Error("WSX_AXE names no axe.min.js: axe-core has not looked at the page")
		}
		return
	}
	source, err := os.ReadFile(file) //nolint:gosec // it is named by who runs the tests
	if err != nil {
		t.Fatal(err)
	}
	Eval[bool](t, b, string(source)+"; true")
	if found := Eval[string](t, b, axe); found != "[]" {
		t.Errorf("axe-core: %s", found)
	}
}

// Tabs goes around by the Tab key, and expects to come by everything that can be pressed or filled in.
func (b *Browser) Tabs(t *testing.T) {
	t.Helper()
	const mark = `document.activeElement.dataset.visited = "yes"`
	Eval[string](t, b, `document.querySelectorAll("[data-visited]").forEach((e) => delete e.dataset.visited), document.activeElement.blur(), ""`)
	for range 20 {
		b.Do(t, chromedp.KeyEvent("\t"))
		Eval[string](t, b, mark)
	}
	left := Eval[[]string](t, b, `[...document.querySelectorAll("button, input, textarea, [role=log]")]
		.filter((e) => e.checkVisibility() && !e.dataset.visited).map((e) => e.outerHTML)`)
	if len(left) > 0 {
		t.Errorf("Tab does not come by %q", left)
	}
}
