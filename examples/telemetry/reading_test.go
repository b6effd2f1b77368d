package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

const validTS = `"ts":"2026-03-01T12:00:00Z"`

func TestGoodReadings(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, message string
		want          []reading
	}{
		{"one", `{"metric":"cpu","value":12.5,` + validTS + `}`, []reading{{"d", "cpu", 12.5, at}}},
		{"an array", `[{"metric":"a","value":1,` + validTS + `},{"metric":"b","value":-2e3,` + validTS + `}]`,
			[]reading{{"d", "a", 1, at}, {"d", "b", -2000, at}}},
		{"an empty array", ` []`, nil},
		{"spaces and unknown fields", "\n {\"x\":[1],\"value\":0,\"metric\":\"m\"," + validTS + "}\t", []reading{{"d", "m", 0, at}}},
		{"nanoseconds", `{"metric":"m","value":1,"ts":"2026-03-01T12:00:00.123456789Z"}`,
			[]reading{{"d", "m", 1, at.Add(123456789)}}},
		{"finer than nanoseconds", `{"metric":"m","value":1,"ts":"2026-03-01T12:00:00.1234567891234Z"}`,
			[]reading{{"d", "m", 1, at.Add(123456789)}}},
		{"an offset", `{"metric":"m","value":1,"ts":"2026-03-01T14:00:00+02:00"}`, []reading{{"d", "m", 1, at}}},
		{"small letters", `{"metric":"m","value":1,"ts":"2026-03-01t12:00:00z"}`, []reading{{"d", "m", 1, at}}},
		{"a hostile name", `{"metric":"<img src=x onerror=alert(1)>","value":1,` + validTS + `}`,
			[]reading{{"d", "<img src=x onerror=alert(1)>", 1, at}}},
		{"the longest name", `{"metric":"` + strings.Repeat("m", maxName) + `","value":1,` + validTS + `}`,
			[]reading{{"d", strings.Repeat("m", maxName), 1, at}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			good, bad := decodeReadings("d", []byte(tt.message))
			if len(bad) > 0 {
				t.Fatalf("refused: %+v", bad)
			}
			if len(good) != len(tt.want) {
				t.Fatalf("got %d readings, want %d", len(good), len(tt.want))
			}
			for i := range good {
				if good[i] != tt.want[i] {
					t.Errorf("reading %d is %+v, want %+v", i, good[i], tt.want[i])
				}
			}
		})
	}
}

func TestBadReadings(t *testing.T) {
	for _, tt := range []struct{ name, message, field string }{
		{"nothing", ``, ""},
		{"no JSON", `cpu=12`, ""},
		{"half an object", `{"metric":"m"`, ""},
		{"two objects", `{"metric":"m","value":1,` + validTS + `} {}`, ""},
		{"half an array", `[{"metric":"m","value":1,` + validTS + `}`, ""},
		{"a number", `1`, ""},
		{"null", `null`, ""},
		{"a string", `"m"`, ""},
		{"an array in an array", `[[]]`, ""},
		{"no UTF-8", "{\"metric\":\"\xff\",\"value\":1," + validTS + "}", ""},
		{"no metric", `{"value":1,` + validTS + `}`, "metric"},
		{"null metric", `{"metric":null,"value":1,` + validTS + `}`, "metric"},
		{"empty metric", `{"metric":"","value":1,` + validTS + `}`, "metric"},
		{"blank metric", `{"metric":" \u00a0 ","value":1,` + validTS + `}`, "metric"},
		{"metric is a number", `{"metric":1,"value":1,` + validTS + `}`, "metric"},
		{"metric too long", `{"metric":"` + strings.Repeat("m", maxName+1) + `","value":1,` + validTS + `}`, "metric"},
		{"control character", `{"metric":"a\u0007b","value":1,` + validTS + `}`, "metric"},
		{"half a surrogate pair", `{"metric":"a\ud800b","value":1,` + validTS + `}`, "metric"},
		{"no value", `{"metric":"m",` + validTS + `}`, "value"},
		{"null value", `{"metric":"m","value":null,` + validTS + `}`, "value"},
		{"value is a string", `{"metric":"m","value":"12",` + validTS + `}`, "value"},
		{"value is an object", `{"metric":"m","value":{},` + validTS + `}`, "value"},
		{"value is a bool", `{"metric":"m","value":true,` + validTS + `}`, "value"},
		{"value over the float", `{"metric":"m","value":1e999,` + validTS + `}`, "value"},
		{"no ts", `{"metric":"m","value":1}`, "ts"},
		{"null ts", `{"metric":"m","value":1,"ts":null}`, "ts"},
		{"ts is a number", `{"metric":"m","value":1,"ts":1772366400}`, "ts"},
		{"ts is no time", `{"metric":"m","value":1,"ts":"yesterday"}`, "ts"},
		{"ts without an offset", `{"metric":"m","value":1,"ts":"2026-03-01T12:00:00"}`, "ts"},
		{"ts with a short hour", `{"metric":"m","value":1,"ts":"2026-03-01T2:00:00Z"}`, "ts"},
		{"ts with a comma", `{"metric":"m","value":1,"ts":"2026-03-01T12:00:00,5Z"}`, "ts"},
		{"ts with a day's offset", `{"metric":"m","value":1,"ts":"2026-03-01T12:00:00+24:00"}`, "ts"},
		{"no such day", `{"metric":"m","value":1,"ts":"2026-02-30T12:00:00Z"}`, "ts"},
		{"ts before 1970", `{"metric":"m","value":1,"ts":"1969-12-31T23:59:59Z"}`, "ts"},
		{"ts too late", `{"metric":"m","value":1,"ts":"2263-01-01T00:00:00Z"}`, "ts"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			good, bad := decodeReadings("d", []byte(tt.message))
			if len(good) != 0 || len(bad) != 1 {
				t.Fatalf("got %d good and %d bad, want one bad", len(good), len(bad))
			}
			got := bad[0]
			if got.Type != "error" || got.Code != "invalid" || got.Field != tt.field || got.Index != 0 || got.Message == "" {
				t.Errorf("answer is %+v, want field %q at 0", got, tt.field)
			}
		})
	}
}

func TestBadReadingsDoNotStopTheOthers(t *testing.T) {
	message := `[{"metric":"a","value":1,` + validTS + `},{"metric":"b","value":"x",` + validTS + `},7,` +
		`{"metric":"c","value":3,` + validTS + `},{"metric":"d","value":4}]`
	good, bad := decodeReadings("d", []byte(message))
	if len(good) != 2 || good[0].Metric != "a" || good[1].Metric != "c" {
		t.Errorf("good are %+v, want a and c", good)
	}
	answers, err := json.Marshal(bad)
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{"type":"error","code":"invalid","field":"value","index":1,"message":"value must be a number"},` +
		`{"type":"error","code":"invalid","field":"","index":2,"message":"a reading is an object with metric, value and ts"},` +
		`{"type":"error","code":"invalid","field":"ts","index":4,"message":"ts is missing"}]`
	if string(answers) != want {
		t.Errorf("answers are\n%s, want\n%s", answers, want)
	}
}

func TestAnswersToGarbageAreBounded(t *testing.T) {
	_, bad := decodeReadings("d", []byte("["+strings.Repeat("0,", maxReadings)+"0]"))
	if len(bad) != 1 {
		t.Errorf("%d answers to one message, want 1", len(bad))
	}
	_, bad = decodeReadings("d", []byte("["+strings.Repeat("0,", maxReadings-1)+"0]"))
	if len(bad) != maxTold || bad[maxTold-1].More != maxReadings-maxTold || countBad(bad) != maxReadings {
		t.Errorf("%d answers to %d bad readings, the last one for %d more", len(bad), countBad(bad), bad[len(bad)-1].More)
	}
}

func TestDecodedReadingsDoNotAliasTheMessage(t *testing.T) {
	message := []byte(`{"metric":"cpu","value":1,` + validTS + `}`)
	good, _ := decodeReadings("d", message)
	for i := range message {
		message[i] = 'x'
	}
	if good[0].Metric != "cpu" {
		t.Errorf("the metric became %q", good[0].Metric)
	}
}

func FuzzDecodeReadings(f *testing.F) {
	f.Add([]byte(`[{"metric":"cpu","value":1,` + validTS + `},{"value":null}]`))
	f.Add([]byte(`{"metric":"\ud800","value":1e400,"ts":"x"}`))
	f.Fuzz(func(t *testing.T, message []byte) {
		good, bad := decodeReadings("d", message)
		for _, r := range good {
			if checkName(r.Metric) != nil || r.TS.Before(minTS) || r.TS.After(maxTS) || r.TS.Location() != time.UTC {
				t.Fatalf("let through %+v", r)
			}
			if _, err := json.Marshal(r); err != nil {
				t.Fatalf("%+v cannot be shown: %v", r, err)
			}
		}
		if len(bad) > maxTold {
			t.Fatalf("%d answers", len(bad))
		}
	})
}
