package finetune

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// endings are the signals that tell a run's process to end: it writes a checkpoint of the last step that is done, and
// the run is stopped. SIGKILL cannot be heard: the run counts as killed, and goes on from its newest checkpoint.
var endings = map[os.Signal]string{syscall.SIGTERM: "SIGTERM", syscall.SIGINT: "SIGINT", syscall.SIGQUIT: "SIGQUIT"}

// Until returns a context that ends when the process is told to end, with the signal as its cause. SIGHUP is ignored: a
// run outlives the terminal it was started from. So is SIGXFSZ: a limit on the size of files is then an error like a
// full disk. To be called once, by the process of a run.
func Until(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	heard := make(chan os.Signal, 1)
	for s := range endings {
		signal.Notify(heard, s)
	}
	signal.Ignore(syscall.SIGHUP, syscall.SIGXFSZ)
	go func() {
		select {
		case s := <-heard:
			cancel(fmt.Errorf("the process was told to end by %s", endings[s]))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}

// toldToEnd is the reason of a run whose process was told to end.
func toldToEnd(ctx context.Context) string {
	if cause := context.Cause(ctx); cause != nil && cause != context.Canceled {
		return cause.Error()
	}
	return "the process was told to end"
}
