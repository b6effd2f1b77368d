package hub_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ratelimit"
	"github.com/fiberwsx/wsx/ws"
)

// TestConfigThatCannotWork panics in New with a sentence that names the setting.
func TestConfigThatCannotWork(t *testing.T) {
	onBatch := func(context.Context, *hub.Batch) error { return nil }
	letter := func(context.Context, []hub.Rejected) error { return nil }
	onConn := func(*hub.Conn) error { return nil }
	position := func(context.Context, string) (uint64, bool, error) { return 0, false, nil }
	for name, row := range map[string]struct {
		cfg  hub.Config
		says string
	}{
		"two handlers":    {hub.Config{OnMessage: nothing, OnBatch: onBatch}, "only one of OnMessage, OnBatch and OnConn"},
		"other two":       {hub.Config{OnMessage: nothing, OnConn: onConn}, "only one of OnMessage, OnBatch and OnConn"},
		"three handlers":  {hub.Config{OnMessage: nothing, OnBatch: onBatch, OnConn: onConn}, "only one"},
		"ack level":       {hub.Config{OnBatch: onBatch, Ack: 9}, "Config.Ack"},
		"acks of nothing": {hub.Config{OnMessage: nothing, Ack: hub.AckBatch}, "needs OnBatch"},
		"no position":     {hub.Config{OnBatch: onBatch, Ack: hub.AckResume}, "needs Config.Position"},
		"drops acked":     {hub.Config{OnBatch: onBatch, Ack: hub.AckBatch, Batch: batch.Config{DropOldest: true}}, "needs AckNone"},
		"letters of none": {hub.Config{OnMessage: nothing, DeadLetter: letter}, "needs OnBatch"},
		"stream lookup":   {hub.Config{OnBatch: onBatch, StreamLookup: "cookie:x"}, "Config.StreamLookup"},
		"over rate":       {hub.Config{OnMessage: nothing, OverRate: 9}, "Config.OverRate"},
		"batch per":       {hub.Config{OnBatch: onBatch, BatchPer: -1}, "Config.BatchPer"},
		"rate":            {hub.Config{OnMessage: nothing, Rate: math.NaN()}, "Config.Rate"},
		"shutdown status": {hub.Config{ShutdownStatus: ws.StatusAbnormalClosure}, "Config.ShutdownStatus"},
		"endless rate":    {hub.Config{OnMessage: nothing, Rate: math.Inf(1)}, "Config.Rate is +Inf"},
		"bytes":           {hub.Config{OnMessage: nothing, RateBytes: math.NaN()}, "Config.RateBytes is NaN"},
		"of a subject":    {hub.Config{OnMessage: nothing, RatePerSubject: math.NaN()}, "Config.RatePerSubject is NaN"},
		"of an address":   {hub.Config{OnMessage: nothing, RatePerIP: math.Inf(-1)}, "Config.RatePerIP is -Inf"},
		"rule":            {hub.Config{OnMessage: nothing, RateRule: ratelimit.Rule{Max: 1}}, "needs a Period"},
		"rule of nothing": {hub.Config{OnMessage: nothing, RateRule: ratelimit.Rule{Period: time.Second}}, "needs a Max"},
		"rule's unit":     {hub.Config{OnMessage: nothing, RateRule: ratelimit.Rule{Max: 1, Period: 60}}, "60*time.Second"},
		"ping's unit":     {hub.Config{OnMessage: nothing, PingInterval: 30}, "Config.PingInterval is 30ns: write its unit"},
		"pong's unit":     {hub.Config{OnMessage: nothing, PongTimeout: 10}, "Config.PongTimeout"},
		"drain's unit":    {hub.Config{OnMessage: nothing, DrainTimeout: 20_000}, "Config.DrainTimeout"},
		"batch's unit":    {hub.Config{OnBatch: onBatch, Batch: batch.Config{Timeout: 30}}, "Config.Timeout is 30ns"},
		"batch's poison":  {hub.Config{OnBatch: onBatch, Batch: batch.Config{OnPoison: 9}}, "Config.OnPoison"},
		"acks for nobody": {hub.Config{OnBatch: onBatch, AckAlways: true}, "need Config.Ack"},
		"claim unread":    {hub.Config{OnBatch: onBatch, StreamClaim: "device"}, "need Config.Ack"},
		"lookup unread":   {hub.Config{OnMessage: nothing, StreamLookup: "query:d"}, "need Config.Ack"},
		"position unread": {hub.Config{OnBatch: onBatch, Ack: hub.AckBatch, Position: position}, "needs Config.Ack: hub.AckResume"},
		"batch size":      {hub.Config{OnBatch: onBatch, Batch: batch.Config{MaxItems: -1}}, "Config.MaxItems"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if said := fmt.Sprint(recover()); !strings.Contains(said, row.says) {
					t.Errorf("New said %q, want %q in it", said, row.says)
				}
			}()
			hub.New(row.cfg)
		})
	}
}

// TestHubWithoutAHandler can only lend its caps and its shutdown.
func TestHubWithoutAHandler(t *testing.T) {
	want(t, "Handles without a handler", newHub(t, hub.Config{}).Handles(), false)
	want(t, "Handles with one", newHub(t, hub.Config{OnMessage: nothing}).Handles(), true)
	want(t, "MaxMessage", newHub(t, hub.Config{}).MaxMessage(), 64<<10)
	want(t, "MaxMessage without a limit", newHub(t, hub.Config{MaxMessage: -1}).MaxMessage(), 0)
	want(t, "MaxConns", newHub(t, hub.Config{}).MaxConns(), 10_000)
	want(t, "MaxConns without a limit", newHub(t, hub.Config{MaxConns: -1}).MaxConns(), 0)
	want(t, "PingInterval", newHub(t, hub.Config{PingInterval: 30 * time.Second}).PingInterval(), 30*time.Second)
	want(t, "PingInterval without a heartbeat", newHub(t, hub.Config{PingInterval: -1}).PingInterval(), 0)
}
