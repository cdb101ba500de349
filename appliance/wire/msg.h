/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages between roles, and between the CLI and the supervisor: one reviewed vocabulary.
 *
 * SEQPACKET unix sockets; a fixed header (type u16, version u16, request id u32, body length u32, big-endian), a body
 * written with struct outbuf and read with struct bytes, at most MSG_FDS descriptors. The table in msg.c says for each
 * type who may send it, its largest body, and how many descriptors it carries; msg_recv refuses anything else, and the
 * caller then ends the peer. Large things travel as sealed memfds. A ping and its answer are the first eight bytes of the header
 * and nothing else.
 */
#ifndef SEKISHO_WIRE_MSG_H
#define SEKISHO_WIRE_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/base/err.h"
#include "appliance/base/memfd.h"

#define MSG_VERSION 1
#define MSG_BODY 4096
#define MSG_FDS 4
#define COMMENT_MOST 255u /* bytes of UTF-8 that a person may say about a change */

enum role {
	ROLE_SUPERVISOR = 0,
	ROLE_ENFORCE,
	ROLE_GATE,
	ROLE_DPI,
	ROLE_TAP,
	ROLE_COMPILE,
	ROLE_JOURNAL,
	ROLE_MGMT,
	ROLE_CLI, /* a peer of the control socket, not a process of ours */
	ROLE_COUNT
};

const char *role_name(enum role r);

enum msg_type {
	MSG_NONE = 0,
	/* any role -> supervisor */
	MSG_READY,  /* sandbox closed, loop entered. body: empty */
	MSG_ANSWER, /* u8 exit status (DESIGN's CLI statuses); fd: sealed memfd with JSON */
	MSG_PONG,   /* to a ping, with its request id; msg_recv sends it */
	/* supervisor -> any role */
	MSG_PING,  /* is anybody there? */
	MSG_QUERY, /* u8 enum query, then its arguments; answered by MSG_ANSWER with the same request id */
	/* supervisor -> dpi */
	MSG_DPI_START, /* u32 worker index; fds: ring memfd, wake eventfd */
	MSG_LANE,      /* also to gate. u32 lane, u16 queue; fd: the queue's netlink socket */
	MSG_TABLE, /* u32 image length, u32 number and u64 digest of the generation in force; fd: sealed memfd with a
			   command table image and, per permit in it, u32 number and u64 digest of its generation */
	MSG_TABLE_DROP, /* forget the previous image; only the newest stays */
	MSG_IMPACT,	/* what would this table do to these sessions? u32 image length (0: the one asked about last),
	                     u32 sessions; fd: sealed memfd (image, then the sessions as wire/impact.h has them);
	                     answered by MSG_ANSWER */
	MSG_CUTS,	/* sessions that the policy in force has ended; fd: sealed memfd (wire/cuts.h) */
	/* dpi -> supervisor */
	MSG_TABLE_ACK, /* 32 bytes digest (all zero: refused) */
	/* supervisor -> gate */
	MSG_WORKER, /* a worker started: u32 worker, u32 pid; fds: ring memfd, wake eventfd, pidfd, its /proc/PID/stat */
	MSG_PAIRS,  /* between whom strays are answered; fd: sealed memfd (wire/pairs.h) */
	/* gate -> supervisor */
	MSG_HUNG, /* u32 worker, u32 pid: kill it */
	/* supervisor -> enforce */
	MSG_APPLY, /* u8 flags (APPLY_*), u32 workers (at most as the generation asks), u32 generation length, u32 id map
	                     length; fd: sealed memfd
	                     (generation bytes, then the map: n times u32 permit id in permit index order) */
	/* enforce -> supervisor */
	MSG_APPLIED, /* u8 done, u32 policy line (when refused), text; fd: sealed memfd with JSON (cut sessions) */
	MSG_DRIFT, /* u8 enum drift, u64 us that others may have decided what passes, u64 us off after it, detail: changed from outside */
	/* supervisor -> journal */
	MSG_GENERATION, /* u32 number, u32 generation length, u32 id map length, then per interface u32 kernel index, 0 = none;
			   fd as in MSG_APPLY */
	MSG_SOURCE, /* supervisor -> journal: u8 role, u32 index; fd: reading end of that role's event socket */
	/* supervisor <-> compile */
	MSG_COMPILE,  /* u8 lang; fd: sealed memfd with a source bundle (policy/bundle.h) */
	MSG_COMPILED, /* u8 exit status, u32 generation length, u32 JSON length; fd: sealed memfd (generation, JSON) */
	/* CLI (and mgmt, for the three read-only ones) -> supervisor; answered by MSG_ANSWER */
	MSG_CTL_STATUS,
	MSG_CTL_EFFECTIVE,
	MSG_CTL_EVENTS, /* u64 after sequence number, u32 at most, then perhaps which (wire/event_filter.h) */
	MSG_CTL_VERIFY,
	MSG_CTL_APPLY, /* u8 flags (APPLY_*), u32 confirm seconds (0 = confirmed at once), comment; fd: bundle memfd */
	MSG_CTL_CONFIRM,
	MSG_CTL_ROLLBACK, /* u64 to generation (0 = the last that meant something else), u8 flags (APPLY_DRY_RUN), comment */
	MSG_CTL_HISTORY,
	MSG_CTL_EXPLAIN, /* u64 event sequence number */
	MSG_CTL_SHOW,	 /* u64 generation (0 = the one in force) */
	/* supervisor -> tap, gate, enforce */
	MSG_IN_FORCE, /* u32 number, u64 digest: what is decided from now on is decided by this generation */
	MSG_TYPE_COUNT
};

enum query { QUERY_STATUS = 1, QUERY_EFFECTIVE, QUERY_VERIFY, QUERY_EVENTS, QUERY_EXPLAIN };

#define APPLY_DRY_RUN 1u   /* compute what would be cut, have the kernel try the transaction, change nothing */
#define APPLY_BOOT 2u	   /* first load after start: adopt what stands in the kernel */
#define APPLY_TAKE_OVER 8u /* of the CLI: another one's trial may be ended by it */
#define APPLY_FORETELL 4u  /* compute what would be cut, nothing else */

struct msg {
	enum msg_type type;
	uint32_t id;
	struct bytes body; /* into `storage` */
	int fds[MSG_FDS];  /* owned by the receiver; -1 = none */
	size_t n_fds;
	uint8_t storage[MSG_BODY];
};

/* 0 or negative errno. Descriptors stay the caller's. Blocks unless the socket does not. */
int msg_send(int sock, enum msg_type type, uint32_t id, const struct outbuf *body, const int *fds, size_t n_fds);
/*
 * Answers pings that come before a message, so whoever reads its messages lives; when nothing follows a ping,
 * -EAGAIN, on a blocking socket too. 1 = a message, 0 = peer closed, negative errno otherwise (-EBADMSG: refused by the table; its descriptors are closed).
 * `from` is who sits at the other end.
 */
int msg_recv(int sock, enum role from, struct msg *ret);
void msg_close_fds(struct msg *m);

#endif
