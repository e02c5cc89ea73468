package printable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

// Error is what an error says in a person's words: what the system, the decoder or the network said in the words of Go
// becomes what is missing, where, and what to do. An error of several lines keeps them.
func Error(err error) string {
	text := err.Error()
	for _, e := range chain(err) {
		var path, sentence string
		switch e := e.(type) {
		case *fs.PathError:
			path, sentence = e.Path, system(e.Op, e.Path, e.Err)
		case *os.LinkError:
			path, sentence = e.New, system(e.Op, e.New, e.Err)
		}
		if sentence != "" {
			text = once(strings.ReplaceAll(text, e.Error(), sentence), path, sentence)
		}
	}
	return Plain(text)
}

// once leaves a file's name out before a sentence that begins with it: "writing x: x cannot be written".
func once(text, path, sentence string) string {
	for {
		for _, doing := range []string{"reading ", "writing ", ""} {
			text = strings.ReplaceAll(text, doing+path+": "+sentence, sentence)
		}
		if !temporary.MatchString(path) {
			return text
		}
		path = temporary.ReplaceAllString(path, "$1$2$3")
	}
}

// Reason is Error without the file that the error names, where what is said around it names the file already.
func Reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return strings.TrimPrefix(Plain("x: "+err.Error()), "x: ")
}

// Missing is an error about something that is not there, in a person's words: errors.Is finds fs.ErrNotExist in it.
func Missing(format string, args ...any) error { return missing(fmt.Sprintf(format, args...)) }

type missing string

func (m missing) Error() string      { return string(m) }
func (missing) Is(target error) bool { return target == fs.ErrNotExist }

// chain is an error with everything that it wraps, the outermost first.
func chain(err error) []error {
	if err == nil {
		return nil
	}
	list := []error{err}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		list = append(list, chain(e.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			list = append(list, chain(one)...)
		}
	}
	return list
}

// Plain is Error for an error that was kept as text: the reason of a run, a line of its log.
func Plain(text string) string {
	for _, m := range spoken.FindAllStringSubmatch(text, -1) {
		i := slices.IndexFunc(faults, func(f fault) bool { return f.errno.Error() == m[4] })
		sentence := system(m[2], m[3], faults[i].errno)
		text = once(strings.Replace(text, m[0], m[1]+sentence, 1), m[3], sentence)
	}
	for _, p := range phrases {
		text = p.pattern.ReplaceAllString(text, p.instead)
	}
	for _, f := range faults {
		text = strings.ReplaceAll(text, ": "+f.errno.Error(), ": "+f.alone)
	}
	return Text(text)
}

// fault is one answer of the operating system.
type fault struct {
	errno syscall.Errno
	read  string // %s is a path
	write string // "": as read
	alone string // where no path is known
}

var faults = []fault{
	{syscall.ENOENT, "%s is not there; check its name", "%s cannot be written: its folder is not there",
		"it is not there"},
	{syscall.EACCES, "%s may not be read by you; change its permissions or its owner",
		"%s may not be written by you; change its permissions or its owner, or choose another place",
		"you have not the permission; change it, or the owner"},
	{syscall.EPERM, "%s may not be read by you; change its permissions or its owner",
		"%s may not be changed by you; change its permissions or its owner, or choose another place",
		"the system does not permit it"},
	{syscall.EISDIR, "%s is a folder; a file is expected there", "", "it is a folder; a file is expected there"},
	{syscall.ENOTDIR, "%s cannot be used: it, or a part of its path, is a file, not a folder", "",
		"it, or a part of its path, is a file, not a folder"},
	{syscall.ENOSPC, "%s cannot be written: the disk is full; make room and try again", "",
		"the disk is full; make room and try again"},
	{syscall.EDQUOT, "%s cannot be written: your share of the disk is used up; make room and try again", "",
		"your share of the disk is used up; make room and try again"},
	{syscall.EROFS, "%s cannot be written: it lies where nothing can be written (read-only); choose another place", "",
		"it lies where nothing can be written (read-only); choose another place"},
	{syscall.ENAMETOOLONG, "%s is a longer name than a file can have; shorten it", "",
		"the name is longer than a file's can be; shorten it"},
	{syscall.ELOOP, "%s is a link that leads back to itself; mend or remove it", "",
		"it is a link that leads back to itself; mend or remove it"},
	{syscall.EEXIST, "%s is there already; it is not overwritten", "", "it is there already; it is not overwritten"},
	{syscall.ENOTEMPTY, "%s is not empty; it is left as it is", "", "it is not empty; it is left as it is"},
	{syscall.EMFILE, "%s cannot be opened: too many files are open; raise the limit (ulimit -n)", "",
		"too many files are open; raise the limit (ulimit -n)"},
	{syscall.EIO, "%s cannot be read: the disk reports a fault (I/O error); check the disk",
		"%s cannot be written: the disk reports a fault (I/O error); check the disk",
		"the disk reports a fault (I/O error); check the disk"},
	{syscall.EXDEV, "%s lies on another disk; choose a place on the same one", "",
		"it lies on another disk; choose a place on the same one"},
	{syscall.EFBIG, "%s is larger than a file may be here", "", "the file is larger than one may be here"},
	{syscall.EBADF, "%s is closed", "", "it is closed"},
	{syscall.EPIPE, "%s: nobody reads what is written there", "", "nobody reads what is written there"},
	{syscall.EINVAL, "%s is not accepted by the system", "", "the system does not accept it"},
	{syscall.ENXIO, "%s is not there as a file that can be opened", "", "it cannot be opened"},
	{syscall.ECONNREFUSED, "%s does not answer (connection refused)", "",
		"it does not answer (connection refused); check the address and the network"},
	{syscall.ECONNRESET, "%s broke off the connection", "", "the connection was broken off; try again"},
	{syscall.ETIMEDOUT, "%s does not answer in time", "", "it does not answer in time; check the network"},
	{syscall.ENETUNREACH, "%s cannot be reached; check the network", "", "the network cannot be reached; check it"},
	{syscall.EHOSTUNREACH, "%s cannot be reached; check the network", "",
		"the machine cannot be reached; check the network"},
	{syscall.ENOMEM, "%s: there is not enough memory", "", "there is not enough memory"},
	{syscall.ESRCH, "%s is a process that is not there", "", "the process is not there"},
}

// writing are the calls that need the right to write.
var writing = []string{"mkdir", "rename", "remove", "unlink", "unlinkat", "symlink", "link", "write", "create",
	"createtemp", "chmod", "truncate", "fsync", "sync", "chtimes"}

// system is one answer of the system as a sentence; "" for an answer that is not known.
func system(op, path string, err error) string {
	for _, f := range faults {
		if !errors.Is(err, f.errno) {
			continue
		}
		form := f.read
		if f.write != "" && (slices.Contains(writing, op) || op == "open" && temporary.MatchString(path)) {
			form = f.write
		}
		path = place(path)
		if path == "" {
			path = `""`
		}
		return fmt.Sprintf(form, path)
	}
	return ""
}

// temporary matches the path of what is written beside its place ("/x/.y.json.tmp-123", "/x/.y.tmp/z.json"), which
// nobody has named.
var temporary = regexp.MustCompile(`^(.*/|)\.([^/]+)\.tmp(?:-\d+)?(/.*|)$`)

// place is the path that something has once it is whole.
func place(path string) string {
	for temporary.MatchString(path) {
		path = temporary.ReplaceAllString(path, "$1$2$3")
	}
	return path
}

var spoken = func() *regexp.Regexp {
	answers := make([]string, len(faults))
	for i, f := range faults {
		answers[i] = regexp.QuoteMeta(f.errno.Error())
	}
	return regexp.MustCompile(`(?m)(^|: |\()(open|openat|stat|lstat|fstat|read|write|mkdir|mkdirat|rename|remove|unlink|unlinkat|readlink|symlink|link|chmod|chdir|close|` +
		`fsync|sync|truncate|readdirent|opendir|fdopendir|seek|mmap|flock|chtimes|fork/exec|createtemp) ([^\n]+?): (` +
		strings.Join(answers, "|") + `)`)
}()

// phrases are what the standard library says, and what a person is told instead.
var phrases = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`unexpected end of JSON input|unexpected EOF\b`),
		"it ends in the middle: it was cut short, or is still being written"},
	{regexp.MustCompile(`invalid character ('.+?') (looking for|after|in|at) [^\n;:]*`),
		"it is not JSON: $1 stands where it does not belong"},
	{regexp.MustCompile(`json: cannot unmarshal (\w+)(?: [^ ]+)? into Go struct field [^ .]*\.([^ ]+) of type [^ ,;:]+`), "$2 holds a value of the wrong kind ($1)"},
	{regexp.MustCompile(`json: cannot unmarshal (\w+)(?: [^ ]+)? into Go value of type [^ ,;:]+`),
		"it holds a value of the wrong kind ($1)"},
	{regexp.MustCompile(`json: unsupported value: `), "a value that JSON has no sign for: "},
	{regexp.MustCompile(`json: unknown field `), "it has an unknown field "},
	{regexp.MustCompile(`strconv\.\w+: parsing ("[^\n]*?"): (invalid syntax|value out of range)`),
		"$1 is not a number that fits here"},
	{regexp.MustCompile(`exec: ("[^\n]+?"): executable file not found in \$PATH`),
		"the program $1 is not installed, or not in a folder of PATH"},
	{regexp.MustCompile(`(^|: )EOF\b`), "${1}it ends too early"},
	{regexp.MustCompile(`context canceled`), "it was interrupted"},
	{regexp.MustCompile(`context deadline exceeded(?: \([^\n)]*\))?|i/o timeout`), "it took too long; try again"},
	{regexp.MustCompile(`dial (?:tcp|udp)[46]?: lookup ([^ :]+)[^\n]*?: (?:no such host|server misbehaving|[Tt]emporary failure in name resolution)`), "there is no machine $1; check the address and the network"},
	{regexp.MustCompile(`dial (?:tcp|udp)[46]? ([^ ]+): connect: `), "$1: "},
	{regexp.MustCompile(`(?:Get|Head|Post) "([^"\n]+)": `), "$1: "},
	{regexp.MustCompile(`http: server gave HTTP response to HTTPS client`),
		"it speaks http, not https; write http:// if that is meant"},
	{regexp.MustCompile(`tls: failed to verify certificate: x509: `), "its certificate is not trusted: "},
	{regexp.MustCompile(`exit status (\d+)`), "it ended with exit code $1"},
	{regexp.MustCompile(`runtime error: [^\n]*`), "the program has a fault of its own (${0}); please report it"},
}
