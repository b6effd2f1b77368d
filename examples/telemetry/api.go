package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

const (
	defaultLimit = 1_000
	maxLimit     = 10_000
	maxSeries    = 10_000           // in one answer about the devices
	queryTime    = 10 * time.Second // for one answer
)

// routeAPI adds what answers with JSON.
func (s *server) routeAPI(app *fiber.App) {
	app.Get("/healthz", s.health)
	api := app.Group("/api", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "no-store")
		return c.Next()
	})
	api.Get("/stats", func(c *fiber.Ctx) error {
		return c.JSON(struct {
			totals
			delivery
		}{s.totals(), s.delivery()})
	})
	api.Get("/readings", s.getReadings)
	api.Get("/devices", s.getDevices)
	api.Get("/token", s.getToken)
}

// health answers 503 from the moment a shutdown begins, so that a balancer sends nobody here any more.
func (s *server) health(c *fiber.Ctx) error {
	if s.ingest.hub.Draining() {
		return c.Status(fiber.StatusServiceUnavailable).JSON(fiber.Map{"status": "draining"})
	}
	return c.JSON(fiber.Map{"status": "ok"})
}

// getReadings answers with the first readings that match, in the order in which they were stored.
func (s *server) getReadings(c *fiber.Ctx) error {
	f := filter{device: c.Query("device"), metric: c.Query("metric")}
	var err error
	if f.since, err = querySince(c); err != nil {
		return fiber.NewError(fiber.StatusBadRequest, err.Error())
	}
	if f.limit, err = queryLimit(c); err != nil {
		return fiber.NewError(fiber.StatusBadRequest, err.Error())
	}
	return s.turns.long(c, func(ctx context.Context) (any, error) { return s.store.readings(ctx, f) })
}

func querySince(c *fiber.Ctx) (since time.Time, err error) {
	text := c.Query("since")
	if text == "" {
		return since, nil
	}
	// An offset's plus sign that was not escaped has arrived as a space.
	if since, err = parseTime(strings.ReplaceAll(text, " ", "+")); err != nil {
		return since, fmt.Errorf("since %w", err)
	}
	return since, nil
}

// queryLimit reads the limit; one over the highest counts as the highest.
func queryLimit(c *fiber.Ctx) (int, error) {
	text := c.Query("limit")
	if text == "" {
		return defaultLimit, nil
	}
	limit, err := strconv.ParseUint(text, 10, 64)
	if (err != nil && !errors.Is(err, strconv.ErrRange)) || limit == 0 {
		return 0, errors.New("limit must be a whole number from 1")
	}
	return int(min(limit, maxLimit)), nil
}

// A device, and the newest reading of each of its metrics.
type device struct {
	Device    string         `json:"device"`
	Connected bool           `json:"connected"`
	Metrics   []readingPoint `json:"metrics"`
}

func (s *server) getDevices(c *fiber.Ctx) error {
	return s.turns.long(c, func(ctx context.Context) (any, error) {
		latest, err := s.store.latest(ctx, maxSeries)
		if err != nil {
			return nil, err
		}
		return devices(latest, s.live.presence.list()), nil
	})
}

// devices joins what the store knows with who is connected.
func devices(latest []reading, connected map[string]bool) []device {
	list := []device{}
	for _, r := range latest { // those of a device stand together
		if len(list) == 0 || list[len(list)-1].Device != r.Device {
			list = append(list, device{Device: r.Device, Connected: connected[r.Device]})
			delete(connected, r.Device)
		}
		last := &list[len(list)-1]
		last.Metrics = append(last.Metrics, readingPoint{r.Metric, r.Value, r.TS})
	}
	for _, name := range slices.Sorted(maps.Keys(connected)) {
		list = append(list, device{Device: name, Connected: true, Metrics: []readingPoint{}})
	}
	return list
}

// failJSON answers every error with a small JSON body. What is inside an unexpected one stays in the log.
func (s *server) failJSON(c *fiber.Ctx, err error) error {
	code, text := fiber.StatusInternalServerError, "internal error"
	var known *fiber.Error
	switch {
	case errors.As(err, &known):
		code, text = known.Code, known.Message
	case errors.Is(err, context.DeadlineExceeded):
		code, text = fiber.StatusServiceUnavailable, "that took too long; ask for less"
	case s.pulse.away() > 0:
		code, text = fiber.StatusServiceUnavailable, "the database is away; try again later"
	default:
		s.log.Error("request failed", "path", strconv.Quote(c.Path()), "error", err)
	}
	return c.Status(code).JSON(fiber.Map{"error": text})
}
