package config

import (
	"strings"
	"testing"

	"finetui/views/viewtest"
)

func TestPreview(t *testing.T) {
	for _, size := range [][2]int{{120, 30}, {80, 22}, {60, 18}, {200, 58}} {
		p, d := opened(t, project(t, nil), size[0], size[1])
		t.Log("\n" + d.Screen())
		at(p, "TRAIN.EPOCHS")
		d.Press("enter")
		clear(d).Type("12")
		t.Log("\n" + d.Screen())
		d.Press("enter")
		t.Log("\n" + d.Screen())
		at(p, "RECIPE.SAMPLING")
		d.Press("enter", "down")
		t.Log("\n" + d.Screen())
		d.Press("enter", "D")
		t.Log("\n" + d.Screen())
		d.Press("D", "p", "down")
		t.Log("\n"+d.Screen(), p.Status())
	}
	_ = strings.TrimSpace
	_ = viewtest.Key
}
