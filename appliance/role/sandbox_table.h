/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table behind appliance/role/sandbox.h: plain data, no code that acts. Read by sandbox.c, by
 * appliance/role/partition.c (which puts a role's process into its control group), and by
 * their tests.
 */
#ifndef SEKISHO_ROLE_SANDBOX_TABLE_H
#define SEKISHO_ROLE_SANDBOX_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"

#define CALL_SELF UINT64_MAX /* as `want`: the number of the process that enters */

/* A condition on an argument. With a mask: (argument & mask) == want; without: argument >= want. */
struct call_test {
	uint8_t arg; /* number of the argument, from 0 */
	uint64_t mask, want;
};

/* A system call that is allowed always, or when up to two conditions on its arguments are true. If
 * there are several rules for a call, one of them is enough. */
#define CALL_TESTS 2
struct call_rule {
	int call; /* libseccomp's number */
	uint8_t n_tests;
	struct call_test tests[CALL_TESTS];
};

/* How much lower the priority of a gate or worker for naming is than that of one for commands. Both
 * processes for naming then have a lower priority than both processes for commands. */
#define NAMING_BELOW 2

#define CALL_END (-1)
#define PROFILE_GROUPS 8

enum otherwise {
	OTHERWISE_KILL, /* a call that is not listed ends the process */
	OTHERWISE_EPERM,
};

/* A folder that stays accessible to the role: by path, or by a descriptor that it was given. */
struct profile_folder {
	int fd; /* used when there is no path */
	const char *path;
	bool write;
};

struct profile {
	uint64_t capabilities; /* bit n = capability n stays in effect */
	uint64_t for_commands; /* additional capabilities of a gate or worker for commands */
	enum otherwise otherwise;
	/* each ends with CALL_END; NULL = no more groups */
	const struct call_rule *allow[PROFILE_GROUPS];
	/* calls answered with EPERM: libraries only probe with them. Ends with CALL_END */
	const int *soft;
	struct profile_folder folders[2];
	uint32_t n_folders;
	int nice; /* the packet path has the best value */
	/* real-time priority (SCHED_RR), where the kernel grants it; 0 = none */
	uint8_t realtime;
	uint32_t descriptors; /* RLIMIT_NOFILE */
	uint32_t file_mib;    /* RLIMIT_FSIZE; memfds count */
	uint32_t memory_mib;  /* RLIMIT_AS; 0 = the limit of the system */
	/* For a role that reads strangers' bytes: the memory limit of its control group, with what
	 * the kernel holds for it. 0 = no limit, for roles that keep the boundary. oom_score makes
	 * the kernel end such a role before others when memory is out. */
	uint32_t group_mib;
	int oom_score; /* oom_score_adj */
};

const struct profile *sandbox_profile(enum role r); /* NULL for the supervisor and the CLI */
extern const struct profile sandbox_fetch_profile;  /* of sandbox_fetch */
extern const struct profile sandbox_hasher_profile; /* of sandbox_hasher, sandbox_webauthn */
/* system calls in addition to those of all roles; ends with CALL_END */
extern const int sandbox_supervisor_calls[];
/* paths that the supervisor may write besides its own folders; ends with NULL */
extern const char *const sandbox_supervisor_writes[];
extern const int sandbox_supervisor_kept[]; /* capabilities of the supervisor; ends with CALL_END */

#endif
