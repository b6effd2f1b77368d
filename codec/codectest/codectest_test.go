package codectest_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/fiberwsx/wsx/codec"
	"github.com/fiberwsx/wsx/codec/codectest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// named is JSON that clients have to ask for.
type named struct{ codec.Codec }

func (named) Subprotocol() string { return "named.v1" }

func TestJSON(t *testing.T) {
	codectest.Test(t, codec.JSON)
	t.Run("by its name", func(t *testing.T) { codectest.Test(t, named{codec.JSON}) })
}
