package main

import (
	"io"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// ticking counts its messages and ends at the third.
type ticking struct {
	seen    int
	program **tea.Program
	tickers []*time.Ticker
}

func (m *ticking) Init() tea.Cmd  { return func() tea.Msg { return "one" } }
func (m *ticking) View() tea.View { return tea.NewView("") }

func (m *ticking) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if _, ours := msg.(string); !ours {
		return m, nil
	}
	m.tickers = append(m.tickers, tickerOf(*m.program))
	if m.seen++; m.seen == 3 {
		return m, tea.Quit
	}
	return m, func() tea.Msg { return "again" }
}

// The field is Bubble Tea's own: a version without it would cost an idle workbench most of what it takes, and no more.
func TestTheTickerOfBubbleTeaIsFound(t *testing.T) {
	var p *tea.Program
	m := &ticking{program: &p}
	p = newProgram(m, tea.WithInput(nil), tea.WithOutput(io.Discard), tea.WithoutSignals())
	if tickerOf(p) != nil {
		t.Error("a program that does not run has a ticker")
	}
	if _, err := p.Run(); err != nil {
		t.Fatal(err)
	}
	if len(m.tickers) != 3 || m.tickers[0] == nil {
		t.Errorf("%d messages, ticker %v", len(m.tickers), m.tickers)
	}
}

func TestRestSlowsTheTickerAndAMessageSetsItGoing(t *testing.T) {
	ticker := time.NewTicker(time.Hour)
	defer ticker.Stop()
	r := &rest{ticker: func() *time.Ticker { return ticker }}
	r.wake()
	if !r.awake {
		t.Fatal("a message does not wake it")
	}
	<-ticker.C
	r.mutex.Lock()
	r.latest = time.Now().Add(-restAfter)
	r.mutex.Unlock()
	if r.tire(); r.awake {
		t.Error("it does not rest")
	}
	r.wake()
	<-ticker.C // within restEvery, or the test hangs
	if !r.awake {
		t.Error("it does not wake again")
	}
}
