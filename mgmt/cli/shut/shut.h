/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the calling process in a sandbox before it reads foreign bytes: no user, no capabilities, no
 * way to open files or sockets, no new executable memory. It keeps its open descriptors, but can
 * write only to the named ones. It ends with its parent. If it is compromised, it can only give
 * wrong answers.
 */
#ifndef SEKISHO_MGMT_CLI_SHUT_SHUT_H
#define SEKISHO_MGMT_CLI_SHUT_SHUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct shut {
	pid_t parent; /* who started it */
	/* system calls that it needs beside memory, time, signals and its end; borrowed */
	const int *calls;
	size_t n_calls;
	unsigned first_fd, last_fd; /* the descriptors that it may write to */
	/* none of these descriptors is a file, so it may write to no file */
	bool pipes;
	unsigned seconds; /* seconds of processor time; 0: no limit */
};

/* To be called before a secret is read: from now on the process leaves no core file, and other
 * processes cannot read its memory. False: it must not read a secret. */
bool shut_memory(void);
/* False: the process must end. */
bool shut_in(const struct shut *s);

/*
 * Runs work on hostile bytes in a separate process, which has only memory and one pipe for writing:
 * no user, no file, no socket, no other system call. If the process is compromised, it can only
 * give a wrong answer.
 */

/* Work that puts malloc'd bytes into *ret. False: it failed. Called in the child only. */
typedef bool apart_work(void *ctx, uint8_t **ret, size_t *ret_n);

/* *ret: the malloc'd result of `work`, owned by the caller, at most `most` bytes. False when it
 * failed, or the child had to be ended. */
bool apart(apart_work *work, void *ctx, size_t most, uint8_t **ret, size_t *ret_n);

#endif
