package main

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/fiberwsx/wsx/examples/internal/testkit"
)

// unheard lets a page hear no answer, and nothing that is said, while window.unheard is set: as if the connection broke
// before it came.
const unheard = `(() => {
	const { set, ...own } = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage");
	Object.defineProperty(WebSocket.prototype, "onmessage", { ...own, set(hear) {
		set.call(this, (event) => { if (!window.unheard || !/"type":"(reply|said)"/.test(event.data)) hear(event); });
	} });
	return true;
})()`

// TestSaidAgainAfterARestart has the server go between a message and its receipt. The page sends it again, to a server
// that does not know it: whoever has seen it does not see it twice.
func TestSaidAgainAfterARestart(t *testing.T) {
	ada, bob := openPage(t), openPage(t)
	r := start(t)
	bob.enterPage(t, r, "bob")
	ada.Do(t, chromedp.Navigate("http://"+r.address+"/"))
	testkit.Eval[bool](t, ada.Browser, unheard)
	ada.Type(t, "#name", "ada\r")
	ada.live(t)
	ada.Type(t, "#text", script+"\r")
	ada.shows(t, "ada: "+script)
	bob.shows(t, "ada: "+script)
	testkit.Eval[bool](t, ada.Browser, `window.unheard = true`)
	ada.Type(t, "#text", image+"\r")
	bob.shows(t, "ada: "+script, "ada: "+image)
	ada.shows(t, "ada: "+script, "[ada: "+image+"]")

	r.stop()
	testkit.Eventually(t, "ada is offline", func() bool { return ada.text(t, "state") == "offline" })
	testkit.Eval[bool](t, ada.Browser, `!(window.unheard = false)`)
	r = startAt(t, r.address, newKey())
	ada.shows(t, "ada: "+script, "ada: "+image)
	bob.live(t)
	if got := r.rooms["lobby"].history(); len(got) != 1 || got[0].Text != image {
		t.Errorf("the room has %+v, want what was sent again", got)
	}
	bob.Type(t, "#text", "after\r") // which comes behind what came again
	for _, b := range []*page{ada, bob} {
		b.shows(t, "ada: "+script, "ada: "+image, "bob: after")
		b.harmless(t)
	}
	ada.Do(t, chromedp.Reload()) // and has them from the server alone
	ada.shows(t, "ada: "+image, "bob: after")
	ada.harmless(t)
}
