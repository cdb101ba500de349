/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shuts the calling process in before it reads bytes of strangers: no user, no capability and none to come, no file and no socket to be
 * opened, no memory that becomes executable. What it has open it keeps, and writes to the descriptors that are named alone. The death of
 * its parent ends it. What whoever takes it over can do is answer wrongly.
 */
#ifndef SEKISHO_MGMT_CLI_SHUT_SHUT_H
#define SEKISHO_MGMT_CLI_SHUT_SHUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct shut {
	pid_t parent;	  /* who started it */
	const int *calls; /* system calls that it needs beside memory, time, signals and its end; borrowed */
	size_t n_calls;
	unsigned first_fd, last_fd; /* where it writes */
	bool pipes;		    /* none of them is a file */
	unsigned seconds;	    /* of a processor's time; 0: any */
};

/* Before a secret is read: from now on the process leaves no core file, and nobody else looks into its memory. False: it must read none. */
bool shut_memory(void);
/* False: the process must end. */
bool shut_in(const struct shut *s);

#endif
