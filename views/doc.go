// Package views is the contract between the workbench's root and its panes, and what panes are made of. A pane knows
// no file and prints nothing: it asks core through commands and draws what it was told.
//
// # Adding a view
//
// A view is one screen of a pane: Overview, Pairs, Recipe. It takes one file and one line.
//
//   - The file holds a type with the view's own state (what is selected, what is listed) and, embedded, what the views
//     of its pane share (in views/dataset that is *shared: the data set, the class, the filter), and a function that
//     makes a View of it: its name, its Board, and of the rest what it needs. views/dataset/position.go is a small one.
//   - The line is in the pane's list: views.NewViews(p.Name(), newOverview(s), …, newYours(s)).
//
// Turning with the brackets, drawing, the mouse, its panels' actions in help, palette and
// [KEYS], its name on the bottom line, esc and the copying to the clipboard follow from that;
// viewtest's TestAViewThatIsAddedToTheListIsWhole holds it.
//
//   - Its Board is made of Panels by name and of a layout.Node that says how they stand. The board moves the focus
//     (tab, click), zooms (+), folds panels into tabs where the terminal is small, and tells keys, clicks and the wheel
//     to the panel that they concern. Where sizes ask for different boards, list them all and let Pick choose.
//   - What can be done in it is an Action, of one panel (Panel.Actions) or of the whole view (View.Actions). Write its
//     name and its key down in Meanings first. Arrows, hjkl, g and G come to a panel through its Move.
//   - What it lists follows from what the views share: work that out in Refresh, not while drawing.
//   - Pictures and other work that only this view needs is asked for in Want.
//   - What is opened from it and closed by esc (a picture in full) is a View of its own: Over.
//
// # Writing a pane
//
// A pane lives in a folder of its own (views/train) and implements Pane, mostly by handing on to its Views.
//
//   - State is what was answered last and what is selected. Update alone changes it; View draws it with widgets. At
//     every tea.WindowSizeMsg it calls Views.Place, it hands them every tea.MouseMsg, and calls Want after each message
//     and each action (Then).
//   - What reads, writes or runs anything is a function of the pane's Control, which tui/control.go fills in; what only
//     calculates (stats, recipe) is called as it is. No view imports ml: a test here holds it.
//   - The data set comes as a Dataset from the root, which has it read once for all; Reread asks for another look.
//   - Work is a command: Ask for one answer, Listen for a stream. Keep a Request for each kind of question and drop
//     every answer that it does not take.
//   - Do not look at keys in Update, except while Capturing (a widget.Prompt or Choice is open).
//   - Text from files is drawn by widgets, which clean it; when you build a line yourself, pass it through
//     widget.Clean, and end pieces of style where they begin: styles are not nested. Numbers go through widget.Count,
//     Percent, Ratio, Bytes, Duration: right-aligned, with units.
//   - Styles are lipgloss's: widget.NewStyle makes one of a lipgloss.Style, Theme has those of the screen. Keys are
//     bubbles' key.Binding (Action.Binding), text that scrolls a viewport (widget.Scroll), text fields a textinput
//     (widget.Prompt), work that goes on a progress bar (widget.Progress) or the spinner (widget.Theme.Busy).
//   - A pane implements Leaver by its Views' Leave; one with unsaved changes implements Guard, one that may have work
//     under way Worker.
//   - Test it with viewtest: viewtest.Sizes draws every view at every size and finds broken lines, viewtest.Golden
//     compares a screen with testdata (go test -update writes them), viewtest.Open plays the root for a pane.
//     viewtest.Sample is a whole pane to copy the manner of.
package views
