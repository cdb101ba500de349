/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table behind appliance/role/sandbox.h: plain data, no code that acts. Read by sandbox.c, by who puts a role's process into its group
 * (appliance/supervise/partition.c), and by their tests.
 */
#ifndef SEKISHO_ROLE_SANDBOX_TABLE_H
#define SEKISHO_ROLE_SANDBOX_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/msg.h"

#define CALL_SELF UINT64_MAX /* as `want`: the number of the process that enters */

/* How an argument must be. With a mask: (argument & mask) == want; without: argument >= want. */
struct call_test {
	uint8_t arg; /* which, from 0 */
	uint64_t mask, want;
};

/* One system call, allowed always or when all of up to two arguments fit. Several rules for a call: any one may allow it. */
#define CALL_TESTS 2
struct call_rule {
	int call; /* libseccomp's number */
	uint8_t n_tests;
	struct call_test tests[CALL_TESTS];
};

/* A gate or a worker for naming has so much less than one for commands: both of its pair less than either of the other. */
#define NAMING_BELOW 2

#define CALL_END (-1)
#define PROFILE_GROUPS 8

enum otherwise {
	OTHERWISE_KILL, /* a call that is not listed ends the process */
	OTHERWISE_EPERM,
};

/* A folder that the role keeps: by path, or by a descriptor that it was given. */
struct profile_folder {
	int fd; /* used when there is no path */
	const char *path;
	bool write;
};

struct profile {
	uint64_t capabilities; /* bit n = capability n stays in effect */
	uint64_t for_commands; /* ... and these in a gate or a worker for commands */
	enum otherwise otherwise;
	const struct call_rule *allow[PROFILE_GROUPS]; /* each ends with CALL_END; NULL = no more groups */
	const int *soft; /* calls answered with EPERM: libraries only probe with them. Ends with CALL_END */
	struct profile_folder folders[2];
	uint32_t n_folders;
	int nice;	  /* the packet path goes before everything else */
	uint8_t realtime; /* priority among processes that run at once when woken, where the kernel grants it; 0 = none */
	uint32_t descriptors; /* RLIMIT_NOFILE */
	uint32_t file_mib;    /* RLIMIT_FSIZE; memfds count */
	uint32_t memory_mib;  /* RLIMIT_AS; 0 = as the system has it */
	/* Of a role that reads strangers' bytes: all that its process and what it has in the kernel may take, where groups have
	 * limits; 0 = none, it keeps the boundary. Such a role is ended before others by a kernel without memory, by this score. */
	uint32_t group_mib;
	int oom_score; /* oom_score_adj */
};

const struct profile *sandbox_profile(enum role r);   /* NULL for the supervisor and the CLI */
extern const struct profile sandbox_fetch_profile;    /* of sandbox_fetch */
extern const struct profile sandbox_hasher_profile;   /* of sandbox_hasher, sandbox_webauthn */
extern const int sandbox_supervisor_calls[];	      /* beside those of all roles; ends with CALL_END */
extern const char *const sandbox_supervisor_writes[]; /* beside its own folders; ends with NULL */
extern const int sandbox_supervisor_kept[];	      /* capabilities; ends with CALL_END */

#endif
