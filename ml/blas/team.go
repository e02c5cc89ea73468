package blas

import (
	"sync"
	"sync/atomic"

	"finetui/ml/cores"
	"finetui/ml/mapped"
)

// Team says how many goroutines a product may use. The zero Team, like NewTeam(1), works on the calling goroutine
// alone. A Team is a plain value: copy it freely, use it from several goroutines at once.
type Team struct{ size int }

// NewTeam is a team of n goroutines, the caller included; n <= 0 asks for all cores.
func NewTeam(n int) Team {
	if n <= 0 {
		n = cores.Count()
	}
	crew.grow(n - 1)
	return Team{n}
}

// Size is the number of goroutines of the team, at least 1.
func (t Team) Size() int { return max(t.size, 1) }

// maxChunks bounds the chunks of one For, so that a small grain stays cheap.
const maxChunks = 256

// For calls f for consecutive pieces of [0, n), each grain long (longer if there were more than 256 pieces; the last
// one may be shorter). The boundaries depend on n and grain alone, so sums kept per piece are the same for every team.
// f may run concurrently with itself. A panic in f is raised again in the caller once the other pieces are through.
func (t Team) For(n, grain int, f func(lo, hi int)) {
	if n <= 0 {
		return
	}
	grain = max(grain, 1, (n+maxChunks-1)/maxChunks)
	chunks := (n + grain - 1) / grain
	if t.size <= 1 || chunks == 1 {
		for lo := 0; lo < n; lo += grain {
			f(lo, min(lo+grain, n))
		}
		return
	}
	j := newJob()
	j.f, j.n, j.grain = f, n, grain
	j.run(t.size, chunks)
}

// job is one parallel region. Chunks are claimed by an atomic counter, and the region ends when every
// chunk is done, not when every worker has looked at it: a worker that comes late finds nothing to
// do, so regions inside regions cannot wait for each other.
type job struct {
	f        func(lo, hi int) // pieces of [0, n) if set,
	n, grain int
	p        product // else blocks of this product
	chunks   int64
	next     atomic.Int64 // next chunk to claim
	finished atomic.Int64
	refs     atomic.Int64 // holders: the caller and every ticket sent
	done     chan struct{}
	failure  atomic.Pointer[failure] // first panic
}

type failure struct{ value any }

var jobs = sync.Pool{New: func() any { return &job{done: make(chan struct{}, 1)} }}

func newJob() *job { return jobs.Get().(*job) }

// run works through the chunks with up to size goroutines and returns the job to the pool.
func (j *job) run(size, chunks int) {
	j.chunks = int64(chunks)
	j.next.Store(0)
	j.finished.Store(0)
	j.failure.Store(nil)
	helpers := min(size, chunks) - 1
	j.refs.Store(int64(helpers) + 1)
	for i := range helpers {
		if !crew.offer(j) {
			j.refs.Add(int64(i - helpers))
			break
		}
	}
	j.work()
	await(j.done)
	failed := j.failure.Load()
	j.release()
	if failed != nil {
		panic(failed.value)
	}
}

func (j *job) work() {
	for {
		c := j.next.Add(1) - 1
		if c >= j.chunks {
			return
		}
		j.chunk(int(c))
		if j.finished.Add(1) == j.chunks {
			j.done <- struct{}{}
		}
	}
}

func (j *job) chunk(c int) {
	defer func() {
		if v := recover(); v != nil {
			j.failure.CompareAndSwap(nil, &failure{v})
		}
	}()
	if j.f != nil {
		lo := c * j.grain
		j.f(lo, min(lo+j.grain, j.n))
		return
	}
	j.p.block(c)
}

func (j *job) release() {
	if j.refs.Add(-1) == 0 {
		j.f, j.p = nil, product{}
		jobs.Put(j)
	}
}

// workers are the goroutines that help every team of the process; they sleep while there is nothing to do.
type workers struct {
	mu      sync.Mutex
	started int
	tickets chan *job
}

var crew = workers{tickets: make(chan *job, 1024)}

// grow makes sure that n workers exist.
func (w *workers) grow(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ; w.started < n; w.started++ {
		go func() {
			mapped.Watch() // a block may read weights in their file's map; chunk takes the panic to the caller
			for {
				j := await(w.tickets)
				j.work()
				j.release()
			}
		}()
	}
}

// offer hands the job to a worker; false if more jobs wait than could ever be needed.
func (w *workers) offer(j *job) bool {
	select {
	case w.tickets <- j:
		return true
	default:
		return false
	}
}

// Waking a sleeping thread takes longer than many a region, up to 100 microseconds under a hypervisor. So who waits
// looks a while first: a worker for the region that often follows, a caller for the last block of its own.
const (
	looks = 200
	naps  = 8 // pauses between two looks
)

// await is a receive from c that does not sleep at once.
func await[T any](c <-chan T) T {
	for range looks {
		select {
		case v := <-c:
			return v
		default:
			pause(naps)
		}
	}
	return <-c
}
