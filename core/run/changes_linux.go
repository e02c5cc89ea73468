package run

import (
	"os"

	sys "golang.org/x/sys/unix"
)

// folderWatch is an inotify instance; nil is one that watches nothing.
type folderWatch struct {
	file *os.File
	fd   int
}

const folderChanges = sys.IN_CREATE | sys.IN_DELETE | sys.IN_MODIFY | sys.IN_MOVED_FROM | sys.IN_MOVED_TO | sys.IN_DELETE_SELF | sys.IN_MOVE_SELF

func newFolderWatch() (*folderWatch, <-chan struct{}) {
	fd, err := sys.InotifyInit1(sys.IN_NONBLOCK | sys.IN_CLOEXEC)
	if err != nil { // the user has as many as the system lets him
		return nil, nil
	}
	w := &folderWatch{os.NewFile(uintptr(fd), "inotify"), fd}
	signal := make(chan struct{}, 1)
	go func() {
		events := make([]byte, 16<<10)
		for {
			if _, err := w.file.Read(events); err != nil {
				return
			}
			select {
			case signal <- struct{}{}:
			default:
			}
		}
	}()
	return w, signal
}

// Kinds of file systems whose changes by other machines, or by their own server, inotify does not see (statfs(2)).
var unreported = map[uint32]bool{
	0x6969: true, 0x517b: true, 0xff534d42: true, 0xfe534d42: true, // NFS, SMB, CIFS, SMB2
	0x65735546: true, 0x01021997: true, 0x786f4256: true, // FUSE, 9P, VirtualBox
	// Ceph, Lustre, GPFS, AFS, BeeGFS
	0x00c36400: true, 0x0bd00bd0: true, 0x47504653: true, 0x5346414f: true, 0x19830326: true,
}

func (w *folderWatch) add(folder string) (reported bool) {
	if w == nil {
		return false
	}
	var fs sys.Statfs_t
	if err := sys.Statfs(folder, &fs); err != nil || unreported[uint32(fs.Type)] {
		return false
	}
	_, err := sys.InotifyAddWatch(w.fd, folder, folderChanges|sys.IN_ONLYDIR)
	return err == nil
}

func (w *folderWatch) close() {
	if w != nil {
		w.file.Close()
	}
}
