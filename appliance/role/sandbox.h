/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each role may still do once its loop runs: user, capabilities, limits, files and system calls, from one table
 * (sandbox_table.c). Every role calls sandbox_enter before it reads its first foreign byte and before it says MSG_READY;
 * a failure to enter is the end of the role. Leaves nothing behind but the calling process's own restrictions.
 */
#ifndef SEKISHO_ROLE_SANDBOX_H
#define SEKISHO_ROLE_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/msg.h"

/* The unprivileged user and group of a role: numbers of its own, so that one role cannot signal or trace another. */
#define SANDBOX_UID_BASE 61961u
#define SANDBOX_UID_NAMING 32u /* more for a gate or a worker for naming: nDPI's bugs end no worker for commands */

#define SANDBOX_UID_NOTIFY                                                                                             \
	61993u /* of who tells alarms to others (mgmt/notify): asks the daemon how it stands, and nothing else */
#define SANDBOX_UID_INFORM 61992u /* ... and of who tells them by SNMP (mgmt/inform), in its group as well */
#define SANDBOX_UID_FETCH 61980u  /* of who fetches updates, which is no role: no number that a role could have */

#define SANDBOX_UID_HASHER                                                                                             \
	61981u /* of who hashes pass phrases for the role accounts, and keeps nothing: a child of it */

#define SANDBOX_UID_WEBAUTHN 61982u /* ... and who looks at what browsers send for a security key: sekisho-webauthn */

static inline uint32_t sandbox_uid(enum role r)
{
	return SANDBOX_UID_BASE + (uint32_t)r;
}

/*
 * Closes the sandbox around the calling process for good. Expects root (or the capabilities of it), one thread, and its
 * parent alive: the death of the parent then ends it. 0, or negative errno: the process must exit.
 */
int sandbox_enter(enum role r, struct err *e);
/* The same for a gate or a worker: those for naming let those for commands go first wherever they share a core. */
int sandbox_enter_pair(enum role r, enum lane_kind kind, struct err *e);

/* The same for sekisho-fetch (appliance/fetch), which is nobody's role: a person starts it for one file. */
int sandbox_fetch(struct err *e);
/* ... and for the child of the role accounts that hashes pass phrases (appliance/accounts/hasher.h). */
int sandbox_hasher(struct err *e);
/* ... and for the other one, sekisho-webauthn (appliance/webauthn), which has as little. */
int sandbox_webauthn(struct err *e);

/*
 * The supervisor stays root, for it starts roles and enters namespaces; it keeps the capabilities and system calls that this
 * takes (sandbox_table.c says which and why), and writes files beneath these `n` folders and in the settings of the network
 * alone, where the kernel has Landlock. Its children inherit that. 0 or negative errno.
 */
int sandbox_supervisor(const int *folders, size_t n, struct err *e);

/* How many cores the calling process may use, at least 1. */
uint32_t sandbox_cores(void);

/*
 * Puts the calling process on one core: the `index`-th of those that it may use, counted round, and from the last one on
 * backwards for a negative one (-1 = the last). Worker and gate of a pair get the same, since handing a packet over is cheapest
 * on one core. Call between fork and exec, or before sandbox_enter. 0 or negative errno.
 */
int sandbox_place(int index, struct err *e);

#endif
