/*
 * One worker thread with its own queue. Not libuv's thread pool: calls of one database connection must run one after
 * another, in order, and those of the pool would not.
 */
#include "io/worker.h"

#include <pthread.h>
#include <signal.h>
#include <uv.h>

struct job {
        struct job *next;
        void (*work)(void *context);
        void (*done)(void *context);
        void *context;
};

struct queue {
        struct job *first, **last;
};

struct worker {
        pthread_t thread;
        pthread_mutex_t mutex; /* guards the three below */
        struct queue waiting, finished;
        bool stop;
        pthread_cond_t wake;
        uv_async_t async; /* tells the loop that `finished` is not empty */
};

static void queue_init(struct queue *queue)
{
        queue->first = NULL;
        queue->last = &queue->first;
}

static void queue_add(struct queue *queue, struct job *job)
{
        job->next = NULL;
        *queue->last = job;
        queue->last = &job->next;
}

static struct job *queue_take(struct queue *queue)
{
        struct job *job = queue->first;
        if (job == NULL) return NULL;
        queue->first = job->next;
        if (queue->first == NULL) queue->last = &queue->first;
        return job;
}

static void *worker_main(void *context)
{
        struct worker *worker = context;
        pthread_mutex_lock(&worker->mutex);
        for (;;) {
                struct job *job = queue_take(&worker->waiting);
                if (job == NULL) {
                        if (worker->stop) break;
                        pthread_cond_wait(&worker->wake, &worker->mutex);
                        continue;
                }
                pthread_mutex_unlock(&worker->mutex);
                job->work(job->context);
                pthread_mutex_lock(&worker->mutex);
                queue_add(&worker->finished, job);
                uv_async_send(&worker->async);
        }
        pthread_mutex_unlock(&worker->mutex);
        return NULL;
}

/* The mutex is not held during a callback, which may submit more. */
static void run_finished(struct worker *worker)
{
        for (;;) {
                pthread_mutex_lock(&worker->mutex);
                struct job *job = queue_take(&worker->finished);
                pthread_mutex_unlock(&worker->mutex);
                if (job == NULL) return;
                if (job->done != NULL) job->done(job->context);
                free(job);
        }
}

static void finished_some(uv_async_t *async)
{
        run_finished(async->data);
}

static void worker_freed(uv_handle_t *handle)
{
        struct worker *worker = handle->data;
        pthread_mutex_destroy(&worker->mutex);
        pthread_cond_destroy(&worker->wake);
        free(worker);
}

/* Signals are for the loop's thread. */
static int start_thread(struct worker *worker)
{
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        int errnum = pthread_create(&worker->thread, NULL, worker_main, worker);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return errnum;
}

int worker_new(struct loop *loop, struct worker **ret, struct error **err)
{
        struct worker *worker = mem_alloc(sizeof *worker);
        queue_init(&worker->waiting);
        queue_init(&worker->finished);
        int rc = uv_async_init(loop_uv(loop), &worker->async, finished_some);
        if (rc < 0) {
                free(worker);
                return error_set(err, ERROR_SYSTEM, NULL, "start the worker thread: %s", uv_strerror(rc));
        }
        worker->async.data = worker;
        pthread_mutex_init(&worker->mutex, NULL);
        pthread_cond_init(&worker->wake, NULL);
        int errnum = start_thread(worker);
        if (errnum != 0) {
                uv_close((uv_handle_t *)&worker->async, worker_freed);
                return error_system(err, errnum, "start the worker thread");
        }
        *ret = worker;
        return 0;
}

void worker_free(struct worker *worker)
{
        if (worker == NULL) return;
        pthread_mutex_lock(&worker->mutex);
        worker->stop = true;
        pthread_cond_signal(&worker->wake);
        pthread_mutex_unlock(&worker->mutex);
        pthread_join(worker->thread, NULL);
        /* A callback may submit more; with the thread gone it runs here. */
        for (struct job *job;;) {
                run_finished(worker);
                job = queue_take(&worker->waiting);
                if (job == NULL) break;
                job->work(job->context);
                queue_add(&worker->finished, job);
        }
        uv_close((uv_handle_t *)&worker->async, worker_freed);
}

void worker_submit(
    struct worker *worker, void (*work)(void *context), void (*done)(void *context), void *context)
{
        struct job *job = mem_alloc(sizeof *job);
        job->work = work;
        job->done = done;
        job->context = context;
        pthread_mutex_lock(&worker->mutex);
        queue_add(&worker->waiting, job);
        pthread_cond_signal(&worker->wake);
        pthread_mutex_unlock(&worker->mutex);
}
