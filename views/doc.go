// Package views is the contract between the workbench's root and its panes, and what panes are made of. A pane knows
// no file and prints nothing: it asks core through commands and draws what it was told.
//
// # Writing a pane
//
// A pane lives in a folder of its own (views/train) and implements Pane, mostly by handing on to a Board:
//
//   - State is what was answered last and what is selected. Update alone changes it; View draws it with widgets.
//   - Each view is a Board: panels by name and a layout.Node that says how they stand. The board moves the focus
//     (tab, click), zooms (+), folds panels into tabs where the terminal is small, and tells keys, clicks and the
//     wheel to the panel that they concern. At every tea.WindowSizeMsg the pane calls Place on each of them, and it
//     hands them every tea.MouseMsg.
//   - Work is a command: views.Ask for one answer, views.Listen for a stream. Keep a Request for each kind of
//     question and drop every answer that it does not take.
//   - What the user can do is an Action. Append the open board's Actions to your own; arrows, hjkl, g and G come to a
//     panel through its Move. Do not look at keys in Update, except while Capturing (a widget.Prompt or Choice is open).
//   - Text from files is drawn by widgets, which clean it; when you build a line yourself, pass it through
//     widget.Clean, and end pieces of style where they begin: styles are not nested. Numbers go through widget.Count,
//     Percent, Ratio, Bytes, Duration: right-aligned, with units.
//   - A pane with a Board implements Leaver by the board's Leave; one with unsaved changes implements Guard.
//   - Test it with viewtest: viewtest.Sizes draws every view at every size and finds broken lines, viewtest.Golden
//     compares a screen with testdata (go test -update writes them), viewtest.Open plays the root for a pane.
//     viewtest.Sample is a whole pane to copy the manner of.
package views
