/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each role may still do once its loop runs: user, capabilities, limits, files and system
 * calls, from one table (sandbox_table.c). Every role calls sandbox_enter before it reads its first
 * foreign byte and before it sends MSG_READY; a role that cannot enter exits. Only the calling
 * process is affected.
 */
#ifndef SEKISHO_ROLE_SANDBOX_H
#define SEKISHO_ROLE_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/role.h"

/* Each role has its own unprivileged uid and gid, counted from this number, so that a role cannot
 * signal or trace another. */
#define SANDBOX_UID_BASE 61961u
/* added to the uid of a gate or worker for naming, so that a fault in nDPI cannot affect a worker
 * for commands */
#define SANDBOX_UID_NAMING 32u

/* the users of sekisho-notify (mgmt/notify) and sekisho-inform (mgmt/inform). They share a group,
 * and may only ask the daemon for its status */
#define SANDBOX_UID_NOTIFY 61993u
#define SANDBOX_UID_INFORM 61992u
/* the user of sekisho-fetch, which is no role: a number that no role can have */
#define SANDBOX_UID_FETCH 61980u

/* the user of the child of accounts that hashes passphrases */
#define SANDBOX_UID_HASHER 61981u

/* the user of sekisho-webauthn, which reads what browsers send for a security key */
#define SANDBOX_UID_WEBAUTHN 61982u

static inline uint32_t sandbox_uid(enum role r)
{
	return SANDBOX_UID_BASE + (uint32_t)r;
}

/*
 * Closes the sandbox around the calling process for good. Expects root (or root's capabilities),
 * one thread, and a living parent; from then on the parent's death ends the process. 0, or negative
 * errno: the process must exit.
 */
int sandbox_enter(enum role r, struct err *e);
/* As sandbox_enter, for a gate or a worker. Those for naming get a lower priority than those for
 * commands. */
int sandbox_enter_pair(enum role r, enum lane_kind kind, struct err *e);

/* As sandbox_enter, for sekisho-fetch (appliance/fetch), which is no role: a person starts it for
 * one file. */
int sandbox_fetch(struct err *e);
/* As sandbox_enter, for the child of accounts that hashes passphrases. */
int sandbox_hasher(struct err *e);
/* As sandbox_enter, for sekisho-webauthn (appliance/webauthn), the other child of accounts. */
int sandbox_webauthn(struct err *e);

/*
 * The sandbox of the supervisor. It stays root, because it starts roles and enters namespaces, and
 * keeps the capabilities and system calls for that (sandbox_table.c gives the reasons). Where the
 * kernel has Landlock, it can write only below these `n` folders and in the network settings. Its
 * children inherit this. 0 or negative errno.
 */
int sandbox_supervisor(const int *folders, size_t n, struct err *e);

/* How many cores the calling process may use, at least 1. */
uint32_t sandbox_cores(void);

/*
 * Puts the calling process on one core: the `index`-th of those that it may use, modulo their
 * number. A negative index counts backwards (-1 = the last). Worker and gate of a pair get the same
 * core, because there a packet is handed over most cheaply. To be called between fork and exec, or
 * before sandbox_enter. 0 or negative errno.
 */
int sandbox_place(int index, struct err *e);

#endif
