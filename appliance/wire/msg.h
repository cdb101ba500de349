/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages between roles, and between the CLI and the supervisor. Which there are stands in message.def.
 *
 * SEQPACKET unix sockets; a fixed header (type u16, version u16, request id u32, body length u32, big-endian), then the
 * body, at most MSG_FDS descriptors. msg_recv refuses what message.def does not describe exactly: another sender or
 * receiver, a body that is too short, too long or out of its bounds, another number of descriptors. What a handler sees has
 * passed all of that; what it means in the state of things is the handler's affair. Large things travel as sealed memfds. A
 * ping and its answer are the first eight bytes of the header and nothing else.
 */
#ifndef SEKISHO_WIRE_MSG_H
#define SEKISHO_WIRE_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/base/err.h"
#include "appliance/base/memfd.h"
#include "appliance/wire/change.h"
#include "appliance/wire/duty.h"
#include "appliance/wire/ends.h"
#include "appliance/wire/event.h"
#include "appliance/wire/event_filter.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/leaked.h"
#include "appliance/wire/manage.h"
#include "appliance/wire/past.h"
#include "appliance/wire/progress.h"
#include "appliance/wire/protocols.h"
#include "appliance/wire/reason.h"
#include "appliance/wire/records.h"
#include "appliance/wire/settings.h"
#include "appliance/wire/slot.h"
#include "appliance/wire/webauthn.h"

/*
 * Of all rows of message.def together: whoever changes one, or puts one before another, raises it, and tests/unit/wire/test_msg.c tells who
 * forgot. Programs of two releases meet at the control socket when one was replaced and the other still runs.
 */
#define MSG_VERSION 20
#define MSG_BODY 8192
#define MSG_FDS 4
#define MSG_NUMBERS 256u /* in a list of them: as many as a box may have interfaces */

/*
 * In one question. A worker answers between packets, which wait meanwhile: of one session it judges up to 12 operations that it
 * remembers and 16 requests that nobody acknowledged, each some 63,000 instructions where eight rows name twenty words.
 */
#define IMPACT_SESSIONS 32u
#define IMPACT_COMMANDS 16u /* told of one of them */

#define FLOWS_MOST 100000u /* sessions that one answer names */
#define COMMENT_MOST 255u  /* bytes of UTF-8 that a person may say about a change */
#define RECORD_MOST 199u   /* bytes of an event's text, EVENT_TEXT without its NUL */
/* Certificates of one file that are told apart, those that end last; a list of a whole system's authorities has a hundred more, which end as late. */
#define CERTIFICATES_TOLD 4u
#define CERTIFICATE_SUBJECT 120u /* bytes, NUL included */
#define ASK_WORD 128u		 /* bytes of a word of a question, NUL included */
#define ISOLATE_OBJECT 144u	 /* bytes of "zones NAME NAME", NUL included */
#define DOORS_OPEN 64u		 /* at once */
#define DOOR_NAMED 72u		 /* bytes of a door's name, NUL included */
#define DOOR_TEXT 64u		 /* ... of who comes in by it, and of a ticket */
#define DEVICE_MOST 15u		 /* bytes of the name of a device or interface */
#define CONFIRM_MOST 86400u	 /* seconds that a trial may last */

enum role {
	ROLE_SUPERVISOR = 0,
	ROLE_ENFORCE,
	ROLE_GATE,
	ROLE_DPI,
	ROLE_TAP,
	ROLE_COMPILE,
	ROLE_JOURNAL,
	ROLE_MGMT,
	ROLE_ACCOUNTS,
	ROLE_CLI, /* a peer of the control socket, not a process of ours */
	ROLE_CONTROL,
	ROLE_COUNT
};

const char *role_name(enum role r);

/* Orders about accounts, of MSG_CTL_USER, in the words of the command line. */
enum user_order {
#define ORDER(id, word, ...) id,
#include "appliance/wire/user_order.def"
	USER_ORDERS
};

/* It only looks: whoever hands on what people ask may ask it as well. The others change who may do what. */
bool user_order_looks(enum user_order o);

/* The second factor of a login: a code that was typed, what a security key has signed, or the certificate that the connection was opened by. */
enum proof { PROOF_CODE, PROOF_KEY, PROOF_CERTIFICATE, PROOFS };
/* What a person does about a key of his own. */
enum key_order { KEY_ADD, KEY_REMOVE, KEY_ORDERS };

/* By what somebody is known who has logged in. */
enum credential { CREDENTIAL_SESSION, CREDENTIAL_TOKEN, CREDENTIALS };

#define LOGIN_NAME 32u /* bytes, the last one NUL where it was not cut */
#define LOGIN_CODE 32u
#define LOGIN_PHRASE 256u
#define LOGIN_LABEL 48u
#define USER_TEXT 3800u
#define MANAGE_TEXT 2400u
#define USER_BY 64u

/* Of MSG_HOLD. */
enum hold_order { HOLD_LIST, HOLD_PLACE, HOLD_LIFT, HOLD_ORDERS };
#define HOLD_PERSON 64u			/* bytes, the last one NUL where it was not cut */
#define HOLD_REASON 199u		/* as an event's text */
#define HOLD_OPEN ((uint64_t)INT64_MAX) /* no end */

/* Of MSG_COPY: which files there are, and each of them. */
enum copy_what { COPY_LIST, COPY_SEGMENT, COPY_HEAD, COPY_KEY, COPY_HOLDS, COPY_WHATS };

/* Of MSG_DEVICES. */
enum devices_order {
	DEVICES_LIST,
	DEVICES_ACCEPT,
	DEVICES_FORGET,
	DEVICES_COPY, /* as its file has it, for a backup */
	DEVICES_TRY,  /* what DEVICES_TAKE would do, and nothing of it */
	DEVICES_TAKE, /* such a copy in the place of a list that nobody has reviewed here */
	DEVICES_ORDERS
};
#define DEVICES_TOLD 8u		/* of those that nobody has reviewed, so many are named in the status */
#define DEVICES_LEARN_S 604800u /* a register that is older, and that nobody has reviewed, is worth an alarm */
#define DEVICES_TOLD_BYTES 208u /* of one: its MAC address and place, "" = none; the last one NUL */

#define WEAK_TOLD 8u /* of the servers with weak TLS that nobody has reviewed, so many are named in the status */
#define WEAK_TOLD_SERVER 56u  /* "[2001:db8::1]:443" with its NUL; "" = the rest of a conduit */
#define WEAK_TOLD_CONDUIT 65u /* the last one NUL */

/* Of MSG_ATTACKS. */
enum attacks_order { ATTACKS_LIST, ATTACKS_ACKNOWLEDGE, ATTACKS_SILENCE, ATTACKS_TEST, ATTACKS_ORDERS };
#define ATTACK_END 160u			  /* bytes of the machines at one end of an alarm, the last one NUL */
#define ATTACK_TOLD 8u			  /* of the alarms that ring, so many are told in the status */
#define ATTACK_SILENT_MOST (30u * 86400u) /* seconds */

/* Sessions of each kind that MSG_APPLIED names: so many, of no more bytes of JSON; the others are counted. */
#define TOLD_MOST 16384u
#define TOLD_JSON_NAMED (12u << 20)
#define TOLD_JSON_TAKEN (16u << 20) /* what a list of them may have: brackets and commas, and room to spare */

#define REVIEW_NOTE 180u /* bytes; an event's text at most */

/* Of an answer, and of a program: yes; no, as it was asked; the question makes no sense; it could not be done. */
enum answer_status { ANSWER_YES, ANSWER_NO, ANSWER_INVALID, ANSWER_CANNOT };

/* Of a gate: without a worker; with one that has not turned yet; with one. */
enum gate_state { GATE_ALONE, GATE_STARTING, GATE_RUNNING };
#define GATE_STATES (GATE_RUNNING + 1u)
/* What became of the box's own token of the API (mgmt/web/secrets.h). */
enum mgmt_token {
	TOKEN_KEPT,
	TOKEN_ANEW, /* what was there could not be used, and another was made */
	TOKEN_NONE  /* nor could that be written: nobody has one */
};
#define MGMT_TOKENS (TOKEN_NONE + 1u)

/* Why a compiler has no result although nothing is wrong with the policy. */
enum compile_trouble { COMPILE_NO_TROUBLE, COMPILE_NO_MEMORY, COMPILE_BAD_BUNDLE, COMPILE_TROUBLES };

/* The one to which a site's backups are encrypted, whoever makes them. */
#define BACKUP_CERTIFICATE "/etc/sekisho/backup.pem"
#define BACKUP_CERTIFICATE_MOST (64u << 10)
/* What rsyslogd shows to a log server that takes records by RELP (images/systemd/sekisho-log.service). */
#define LOG_CERTIFICATE "/etc/sekisho/log-certificate.pem"
/* Why there is no backup: that file holds no certificate; a private key; a key that cannot be encrypted to; or the box's own words were none. */
enum seal_trouble { SEAL_NO_TROUBLE, SEAL_NO_CERTIFICATE, SEAL_PRIVATE_KEY, SEAL_KEY, SEAL_NONSENSE, SEAL_TROUBLES };

#define APPLY_DRY_RUN 1u   /* compute what would be cut, have the kernel try the transaction, change nothing */
#define APPLY_BOOT 2u	   /* first load after start: adopt what stands in the kernel */
#define APPLY_FORETELL 4u  /* compute what would be cut, nothing else */
#define APPLY_TAKE_OVER 8u /* of the CLI: another one's trial may be ended by it */
#define APPLY_RESTORED 16u /* of the CLI: the texts are of a backup, of which the comment tells */
#define APPLY_TELL 32u	   /* whoever waits for it wants MSG_PROGRESS */
#define APPLY_FLAGS (APPLY_DRY_RUN | APPLY_BOOT | APPLY_FORETELL | APPLY_TAKE_OVER | APPLY_RESTORED | APPLY_TELL)

/* What control asks the supervisor about itself, for the answer to the question of the same name. */
enum box_what { BOX_STATUS, BOX_EFFECTIVE, BOX_VERIFY, BOX_WHATS };
/* Files of which control is given a descriptor: BACKUP_CERTIFICATE; what rsyslogd shows to a log server. */
enum box_file { BOX_FILE_BACKUP, BOX_FILE_LOG, BOX_FILES };

#define RELEASE_LIST 1u /* say what there is, and release nothing */

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

/* struct msg_lane and the like: what the body of each message, and each record, holds. A text is never NULL where one was
 * received. */
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

/* TOLD_SESSION_BYTES and so on: of each record, which has one size. The fields add up one behind the other, so they have no
 * parentheses. NOLINTBEGIN(bugprone-macro-parentheses) */
#define RECORD(NAME, name, fields) enum { NAME##_BYTES = 0 fields };
#define U8(name, largest) +1
#define U16(name, largest) +2
#define U32(name, largest) +4
#define U64(name) +8
#define RAW(name, size) +(size)
#define ENDS(name) +ENDS_BYTES
/* NOLINTEND(bugprone-macro-parentheses) */
#include "appliance/wire/message.def"

/* One record at a time: msg_put_told_session and so on. Put fails `o`, take is false, when it is out of its bounds; take also
 * when there are too few bytes left. */
#define RECORD(NAME, name, fields)                                                                                     \
	void msg_put_##name(struct outbuf *o, const struct msg_##name *x);                                             \
	bool msg_take_##name(struct bytes *b, struct msg_##name *ret);
#include "appliance/wire/message.def"

/* A message as it is said: { MSG_LANE, .lane = { .lane = 3, .queue = 1024 } }. */
struct msg_body {
	enum msg_type type;
	union {
#define MESSAGE(NUMBER, name, ...) struct msg_##name name;
#include "appliance/wire/message.def"
	};
};

/* ... and as it was heard. */
struct msg {
	struct msg_body body; /* texts point into `storage` */
	uint32_t id;
	uint16_t version; /* of the sender; another one than ours beside -EPROTO */
	int fds[MSG_FDS]; /* owned by the receiver; -1 = none */
	size_t n_fds;
	uint8_t storage[MSG_BODY + 1];
};

/* 0 or negative errno; -EINVAL when the receiver would refuse it. Descriptors stay the caller's. Blocks unless the socket
 * does not. */
int msg_send(int sock, uint32_t id, const struct msg_body *body, const int *fds, size_t n_fds);
/* ... what need not arrive: it is never waited for, -EAGAIN when the peer has not read for long. */
int msg_try(int sock, uint32_t id, const struct msg_body *body);
/* ... to a peer of another version: only READY to STATUS, the first rows, which are in all versions what they are in ours. */
int msg_send_as(int sock, uint16_t version, uint32_t id, const struct msg_body *body, const int *fds, size_t n_fds);
/*
 * Answers pings that come before a message, so whoever reads its messages lives; when nothing follows a ping,
 * -EAGAIN, on a blocking socket too. 1 = a message, 0 = peer closed, negative errno otherwise (-EBADMSG: refused by
 * message.def; -EPROTO: of another version, and nothing of it was read; its descriptors are closed). `from` sits at the other end, `to` reads
 * here.
 */
int msg_recv(int sock, enum role from, enum role to, struct msg *ret);
void msg_close_fds(struct msg *m);
/* The caller's from now on. */
int msg_take_fd(struct msg *m, size_t i);

/*
 * What a role does with each message, in one table. A handler takes the descriptors that it wants; the others are closed
 * when it returns. False: this may not be said now, and the peer is not to be trusted any more.
 */
typedef bool msg_handler(void *ctx, struct msg *m);

/* Calls the handler and closes what is left. False: there is none, or it said so. */
bool msg_dispatch(msg_handler *const handlers[MSG_TYPE_COUNT], void *ctx, struct msg *m);
/* The next message of the supervisor, received and handled. As msg_recv; -EBADMSG also when msg_dispatch is false. */
int msg_serve(int sock, enum role self, msg_handler *const handlers[MSG_TYPE_COUNT], void *ctx);
/* ... of somebody else. */
int msg_serve_of(int sock, enum role from, enum role self, msg_handler *const handlers[MSG_TYPE_COUNT], void *ctx);
/* Whether `from` may say a message of this type to `to`. */
bool msg_may_say(enum msg_type type, enum role from, enum role to);

#endif
