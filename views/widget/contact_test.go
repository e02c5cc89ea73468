package widget

import "testing"

// All frames of a clip are seen where they have room, whichever its shape; else a page of those that something can be
// made out in.
func TestAContactSheetShowsAllThatHaveRoom(t *testing.T) {
	for _, c := range []struct{ n, pw, ph, w, h, page int }{
		{6, 270, 480, 53, 11, 6}, {16, 160, 120, 53, 11, 10}, {16, 160, 120, 80, 40, 16}, {1, 480, 270, 20, 9, 1},
		{16, 480, 270, 36, 8, 8}, {3, 100, 100, 2, 1, 1}, {4, 0, 0, 40, 9, 4},
	} {
		s := NewContact(c.n, c.pw, c.ph, c.w, c.h, 1, 9)
		if s.Size() < c.page || s.Columns*(s.W+1) > max(c.w, 1) || s.Rows > 1 && s.Rows*(s.H+1) > c.h {
			t.Errorf("%+v: %+v", c, s)
		}
	}
}
