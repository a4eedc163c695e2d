package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"sheaf/app/blog"
	"sheaf/app/sshd"
	"sheaf/app/store"
	"sheaf/app/typeset"
)

// metrics tells Prometheus over HTTP what the server does, at /metrics;
// /healthz is 200 until the server drains. Nothing in it is about a person, and
// nothing can be named by an address or a post.
type metrics struct {
	server  *sshd.Server
	setter  *typeset.Setter
	blog    *blog.Blog
	version string

	draining atomic.Bool

	mu      sync.Mutex
	commits map[string]uint64 // by the door they came through
}

// metricsAddr is the address to listen on: a port alone is on this machine
// only.
func metricsAddr(addr string) string {
	if !strings.Contains(addr, ":") {
		addr = ":" + addr
	}
	if strings.HasPrefix(addr, ":") {
		addr = "127.0.0.1" + addr
	}
	return addr
}

// serve answers at addr until stop is called, which waits for the end of the
// goroutines. It counts the commits that come from now on.
func (m *metrics) serve(addr string, commits store.Store, log *slog.Logger) (stop func(), err error) {
	l, err := net.Listen("tcp", metricsAddr(addr))
	if err != nil {
		return nil, fmt.Errorf("metrics: listen on %s: %w", addr, reason(err))
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if m.draining.Load() {
			http.Error(w, "draining", http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "ok\n")
	})
	h := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    8 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	ctx, cancel := context.WithCancel(context.Background())
	head, err := commits.Head(ctx)
	if err != nil {
		cancel()
		l.Close()
		return nil, err
	}
	var done sync.WaitGroup
	done.Go(func() { m.count(ctx, commits, head) })
	done.Go(func() {
		if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics", "err", err)
		}
	})
	log.Info("metrics", "addr", l.Addr().String())
	return func() {
		cancel()
		h.Close()
		done.Wait()
	}, nil
}

// count counts commits until ctx ends.
func (m *metrics) count(ctx context.Context, commits store.Store, since store.Rev) {
	for c, err := range commits.Commits(ctx, since) {
		if err != nil {
			return
		}
		m.mu.Lock()
		if m.commits == nil {
			m.commits = map[string]uint64{}
		}
		m.commits[c.Channel]++
		m.mu.Unlock()
	}
}

// Describe describes nothing: what there is, Collect tells (an unchecked
// collector).
func (m *metrics) Describe(chan<- *prometheus.Desc) {}

// Collect sends the figures of this moment.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	send := func(kind prometheus.ValueType, name, help string, v float64, labels ...string) {
		var names, values []string
		for i := 0; i+1 < len(labels); i += 2 {
			names, values = append(names, labels[i]), append(values, labels[i+1])
		}
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc("sheaf_"+name, help, names, nil), kind, v, values...)
	}
	gauge := func(name, help string, v int, labels ...string) {
		send(prometheus.GaugeValue, name, help, float64(v), labels...)
	}
	total := func(name, help string, v uint64, labels ...string) {
		send(prometheus.CounterValue, name+"_total", help, float64(v), labels...)
	}
	s := m.server.Stats()
	gauge("build_info", "The version of the program.", 1, "version", m.version)
	gauge("connections", "Connections open now.", s.Connections)
	gauge("connections_unauthenticated", "Connections that are still shaking hands.", s.Unauthenticated)
	gauge("sessions", "Sessions answered now.", s.Sessions)
	gauge("browsers", "Terminal browsers open now.", s.Browsers)
	gauge("networks_penalised", "Networks refused now for their failures.", s.Penalised)
	total("handshakes", "Handshakes that were finished.", s.Handshakes)
	total("connections_failed", "Connections that left before they were let in.", s.Failed)
	total("connections_dropped", "Connections ended for what they sent or did not read.", s.Dropped)
	for reason, n := range s.Refused {
		total("connections_refused", "Connections refused, by the limit they met.", n, "reason", reason)
	}
	for kind, n := range s.Answered {
		total("sessions_ended", "Sessions that are over, by their kind.", n, "kind", kind)
	}
	total("panics", "Panics that were contained.", s.Panics)
	total("errors", "Errors of the machine that a visitor met.", s.Errors)
	p := m.setter.Stats()
	total("pages_set", "Pages that were set.", p.Set)
	total("pages_shared", "Pages that were set already when they were asked for.", p.Shared)
	gauge("page_cache_pages", "Set pages that are kept.", p.Pages)
	gauge("page_cache_bytes", "Memory of the set pages that are kept.", int(p.Bytes))
	gauge("posts", "Posts that readers see.", len(m.blog.Reader().Edition().Posts()))
	m.mu.Lock()
	defer m.mu.Unlock()
	for door, n := range m.commits {
		total("commits", "Commits, by the door they came through.", n, "door", door)
	}
}
