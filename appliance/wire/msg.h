/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages between roles, and between the box and programs at the control socket, which are
 * ROLE_CLI here. message.def lists them.
 *
 * SEQPACKET unix sockets; a fixed header (type u16, version u16, request id u32, body length u32,
 * big-endian), then the body, at most MSG_FDS descriptors. msg_recv refuses every message that does
 * not match message.def exactly: a wrong sender or receiver, a body that is too short, too long or
 * out of bounds, or a wrong number of descriptors. A handler gets only messages that have passed
 * these checks; it checks itself whether a message is allowed at the moment. Large data are sent as
 * sealed memfds. A ping and its answer have only the first eight bytes of the header.
 */
#ifndef SEKISHO_WIRE_MSG_H
#define SEKISHO_WIRE_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "appliance/base/addr.h"
#include "appliance/base/bytes.h"
#include "appliance/base/clock_source.h"
#include "appliance/base/err.h"
#include "appliance/base/memfd.h"
#include "appliance/wire/duty.h"
#include "appliance/wire/ends.h"
#include "appliance/wire/event.h"
#include "appliance/wire/filter.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/leaked.h"
#include "appliance/wire/orders.h"
#include "appliance/wire/past.h"
#include "appliance/wire/protocols.h"
#include "appliance/wire/reason.h"
#include "appliance/wire/role.h"
#include "appliance/wire/said.h"
#include "appliance/wire/settings.h"
#include "appliance/wire/slot.h"
#include "appliance/wire/webauthn.h"

/*
 * One version for all rows of message.def. It is incremented when a row changes or moves;
 * tests/unit/wire/test_msg.c fails if this is forgotten. Programs of two releases meet at the
 * control socket when one of them has been updated and the other still runs.
 */
#define MSG_VERSION 30
#define MSG_BODY 8192
#define MSG_FDS 5
#define MSG_NUMBERS 256u /* numbers in a list: as many as a box may have interfaces */

enum msg_type {
	MSG_NONE = 0,
#define MESSAGE(NUMBER, ...) MSG_##NUMBER,
#include "appliance/wire/message.def"
	MSG_TYPE_COUNT
};

/* A list of numbers within a body. */
struct msg_numbers {
	uint32_t n, list[MSG_NUMBERS];
};

/* struct msg_lane and so on: the body of each message, and of each record. A received text is
 * never NULL. */
#define MESSAGE(NUMBER, name, from, to, fds_min, fds_max, fields) RECORD(NUMBER, name, fields)
#define RECORD(NAME, name, fields)                                                                                     \
	struct msg_##name {                                                                                            \
		fields                                                                                                 \
	};
#define U8(name, largest) uint8_t name;
#define U16(name, largest) uint16_t name;
#define U32(name, largest) uint32_t name;
#define U64(name) uint64_t name;
#define RAW(name, size) uint8_t name[size];
#define COUNTS(name, n) uint64_t name[n];
#define ENDS(name) struct ends name;
#define GENERATION(name) struct event_generation name;
#define FILTER(name) struct event_filter name;
#define NUMBERS(name, most) struct msg_numbers name;
#define TEXT(name, most) const char *name;
#define LINE(name, most) TEXT(name, most)
#define TYPED(name, size) RAW(name, size)
#define NOTHING uint8_t nothing;
#include "appliance/wire/message.def"

/* TOLD_SESSION_BYTES and so on: the fixed size of each record. The macro is a sum of its fields, so
 * they have no parentheses. NOLINTBEGIN(bugprone-macro-parentheses) */
#define RECORD(NAME, name, fields) enum { NAME##_BYTES = 0 fields };
#define U8(name, largest) +1
#define U16(name, largest) +2
#define U32(name, largest) +4
#define U64(name) +8
#define RAW(name, size) +(size)
#define ENDS(name) +ENDS_BYTES
/* NOLINTEND(bugprone-macro-parentheses) */
#include "appliance/wire/message.def"

/* For each record: msg_put_told_session, msg_take_told_session and so on. When a field is out of
 * bounds, put makes `o` fail and take returns false; take also when too few bytes are left. */
#define RECORD(NAME, name, fields)                                                                                     \
	void msg_put_##name(struct outbuf *o, const struct msg_##name *x);                                             \
	bool msg_take_##name(struct bytes *b, struct msg_##name *ret);
#include "appliance/wire/message.def"

/* A message to be sent: { MSG_LANE, .lane = { .lane = 3, .queue = 1024 } }. */
struct msg_body {
	enum msg_type type;
	union {
#define MESSAGE(NUMBER, name, ...) struct msg_##name name;
#include "appliance/wire/message.def"
	};
};

/* A received message. */
struct msg {
	struct msg_body body; /* texts point into `storage` */
	uint32_t id;
	uint16_t version; /* the sender's; with -EPROTO it differs from ours */
	int fds[MSG_FDS]; /* owned by the receiver; -1 = none */
	size_t n_fds;
	uint8_t storage[MSG_BODY + 1];
};

/* Sends a message. 0 or negative errno; -EINVAL when the receiver would refuse it. The caller keeps
 * the descriptors. Blocks unless the socket is non-blocking. */
int msg_send(int sock, uint32_t id, const struct msg_body *body, const int *fds, size_t n_fds);
/* As msg_send, but never waits, for messages that may be lost: -EAGAIN when the socket is full. */
int msg_try(int sock, uint32_t id, const struct msg_body *body);
/* As msg_send, to a peer of another version. Only for READY to STATUS, the first rows, which
 * never change. */
int msg_send_as(int sock, uint16_t version, uint32_t id, const struct msg_body *body, const int *fds, size_t n_fds);
/*
 * Receives a message, and answers pings that come before it, so a process that reads messages shows
 * that it is alive. -EAGAIN when nothing follows a ping, even on a blocking socket. 1 = a message,
 * 0 = peer closed, negative errno otherwise (-EBADMSG: refused by message.def; -EPROTO: of another
 * version, and nothing of it was read; its descriptors are closed). `from` is the role at the other
 * end, `to` the one that reads.
 */
int msg_recv(int sock, enum role from, enum role to, struct msg *ret);
void msg_close_fds(struct msg *m);
/* Takes descriptor `i` out of the message; the caller owns it. */
int msg_take_fd(struct msg *m, size_t i);

/*
 * What a role does with each message, in one table. A handler takes the descriptors that it wants;
 * the others are closed when it returns. False: the message is not allowed at this moment, and the
 * peer is no longer trusted.
 */
typedef bool msg_handler(void *ctx, struct msg *m);

/* Calls the handler and closes the remaining descriptors. False: there is no handler, or it
 * returned false. */
bool msg_dispatch(msg_handler *const handlers[MSG_TYPE_COUNT], void *ctx, struct msg *m);
/* Receives and handles the next message of the supervisor. As msg_recv; -EBADMSG also when
 * msg_dispatch is false. */
int msg_serve(int sock, enum role self, msg_handler *const handlers[MSG_TYPE_COUNT], void *ctx);
/* As msg_serve, for messages of role `from`. */
int msg_serve_of(int sock, enum role from, enum role self, msg_handler *const handlers[MSG_TYPE_COUNT], void *ctx);
/* Whether `from` may send a message of this type to `to`. */
bool msg_may_say(enum msg_type type, enum role from, enum role to);

#endif
