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
#include "appliance/wire/event.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/leaked.h"
#include "appliance/wire/orders.h"
#include "appliance/wire/past.h"
#include "appliance/wire/protocols.h"
#include "appliance/wire/reason.h"
#include "appliance/wire/settings.h"
#include "appliance/wire/slot.h"
#include "appliance/wire/webauthn.h"

/* ---- which events a question asks for -------------------------------------------------------- */

/* The last field of MSG_EVENTS. An event has to match all conditions that are not empty. */
enum event_filter_key {
	/* events from this moment on, in UTC: "2026-11-20T08:10:11"; characters after that are
	 * ignored */
	FILTER_SINCE,
	FILTER_CONDUIT,	 /* a name */
	FILTER_VERDICT,	 /* a verdict's word */
	FILTER_ZONE,	 /* of either end: a name */
	FILTER_ASSET,	 /* either end: a name */
	FILTER_HOST,	 /* either end: an address or a prefix */
	FILTER_SEVERITY, /* a severity's word: events of this severity or a higher one */
	FILTER_KIND,	 /* a kind's word */
	FILTER_PROTOCOL, /* a protocol's name, or FILTER_IN_CLEAR */
	FILTER_UNTIL,	 /* events before this moment, written as in FILTER_SINCE */
	FILTER_REASON,	 /* a reason's word */
	/* a list with commas, one of which must match: a command's name, its code, or a class of
	 * commands (read, write, ...) */
	FILTER_COMMAND,
	/* "9" or "0-9": a value that a refused command would have written, or that accepted
	 * commands wrote */
	FILTER_VALUE,
	FILTER_KEYS
};

/* any protocol in clear text, or remote desktop (PROTO_IN_CLEAR) */
#define FILTER_IN_CLEAR "in_clear"
#define FILTER_TEXT 128u /* bytes of a condition, NUL included */

struct event_filter {
	char text[FILTER_KEYS][FILTER_TEXT]; /* "" = any */
};

/* False when the text does not fit. */
bool event_filter_set(struct event_filter *f, enum event_filter_key key, const char *text);
/* true when no condition is set: all events match */
bool event_filter_any(const struct event_filter *f);
/* Writes nothing for a filter that is empty. */
void event_filter_encode(const struct event_filter *f, struct outbuf *o);
/* False when event_filter_encode does not write such bytes. Reads to the end of `b`. */
bool event_filter_decode(struct bytes *b, struct event_filter *ret);

/* ---- stages that the box reports while somebody waits for an answer -------------------------- */

enum progress_stage {
#define STAGE(id, word) PROGRESS_##id,
#include "appliance/wire/progress.def"
	PROGRESS_STAGES
};

/* "?" for an unknown stage. */
const char *progress_word(enum progress_stage s);

/* ---- messages -------------------------------------------------------------------------------- */

/* The two ends of a session, as messages and records have them. */

#define ENDS_BYTES 38

struct ends {
	struct addr client, server; /* of one family */
	uint16_t client_port, server_port;
	uint8_t l4proto;
};

static inline void ends_put(struct outbuf *o, const struct ends *e)
{
	out_u8(o, e->client.family);
	out_bytes(o, e->client.b, sizeof(e->client.b));
	out_bytes(o, e->server.b, sizeof(e->server.b));
	out_be16(o, e->client_port);
	out_be16(o, e->server_port);
	out_u8(o, e->l4proto);
}

/* Reads two ends. An unknown address family makes `b` fail. */
static inline void ends_take(struct bytes *b, struct ends *ret)
{
	memset(ret, 0, sizeof(*ret));
	bytes_u8(b, &ret->client.family);
	bytes_copy(b, ret->client.b, sizeof(ret->client.b));
	bytes_copy(b, ret->server.b, sizeof(ret->server.b));
	bytes_be16(b, &ret->client_port);
	bytes_be16(b, &ret->server_port);
	bytes_u8(b, &ret->l4proto);
	ret->server.family = ret->client.family;
	b->failed |= ret->client.family != 4 && ret->client.family != 6;
}

/*
 * One version for all rows of message.def. It is incremented when a row changes or moves;
 * tests/unit/wire/test_msg.c fails if this is forgotten. Programs of two releases meet at the
 * control socket when one of them has been updated and the other still runs.
 */
#define MSG_VERSION 30
#define MSG_BODY 8192
#define MSG_FDS 5
#define MSG_NUMBERS 256u /* numbers in a list: as many as a box may have interfaces */

/*
 * Sessions in one question: few, because packets wait while a worker answers. For each session, the
 * worker judges up to 12 remembered operations and 16 unacknowledged requests. Each of these
 * judgements takes about 63,000 instructions when eight rows name twenty words.
 */
#define IMPACT_SESSIONS 32u
#define IMPACT_COMMANDS 16u /* operations of one session that the answer names */

#define FLOWS_MOST 100000u /* sessions that one answer names */
#define COMMENT_MOST 255u  /* bytes of a person's comment on a change, UTF-8 */
#define RECORD_MOST 199u   /* bytes of an event's text, EVENT_TEXT without its NUL */
/* Certificates of one file that are reported: those that end last. The list of authorities of a
 * system has about a hundred more. */
#define CERTIFICATES_TOLD 4u
#define CERTIFICATE_SUBJECT 120u /* bytes, NUL included */
#define ASK_WORD 128u		 /* bytes of a word of a question, NUL included */
#define ISOLATE_OBJECT 144u	 /* bytes of "zones NAME NAME", NUL included */
#define DOORS_OPEN 64u		 /* doors that may be open at the same time */
/* spans in which the use of conduits was not watched; further spans are merged */
#define USED_GAPS 16u
#define USED_BYTES (16u << 20) /* bytes of all records of use together */
/* bytes of the name of the person who enters by a door, or of a ticket, NUL included */
#define DOOR_TEXT 64u
#define DOOR_REQUEST 32u    /* bytes of a request's name (enforce/door_book.h), NUL included */
#define DEVICE_MOST 15u	    /* longest name of a device or interface in bytes */
#define CONFIRM_MOST 86400u /* seconds that a trial may last */

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
/* The role whose process has this slot (slot.h), and its index among the processes of that role. */
enum role slot_role(unsigned slot);
uint32_t slot_index(unsigned slot);

/* Orders about accounts, of MSG_CTL_USER, in the words of the command line. */
enum user_order {
#define ORDER(id, word, ...) id,
#include "appliance/wire/user_order.def"
	USER_ORDERS
};

/* Whether the order only reads. Control may give only such orders; the others change rights. */
bool user_order_looks(enum user_order o);
/* Whether a file comes with the order. */
bool user_order_carries(enum user_order o);

/* The second factor of a login: a typed code, the signature of a security key, or the client
 * certificate of the connection. */
enum proof { PROOF_CODE, PROOF_KEY, PROOF_CERTIFICATE, PROOFS };
/* Orders of a person about an own security key. */
enum key_order { KEY_ADD, KEY_REMOVE, KEY_ORDERS };

/* What proves that somebody has logged in. */
enum credential { CREDENTIAL_SESSION, CREDENTIAL_TOKEN, CREDENTIALS };

#define LOGIN_NAME 32u /* bytes; the last one is NUL unless the text was cut */
#define LOGIN_CODE 32u
#define LOGIN_PHRASE 256u
#define LOGIN_LABEL 48u
#define USER_TEXT 3800u
#define MANAGE_TEXT 2400u
#define USER_BY 64u

/* Orders of MSG_HOLD. */
enum hold_order { HOLD_LIST, HOLD_PLACE, HOLD_LIFT, HOLD_ORDERS };
#define HOLD_PERSON 64u			/* bytes; the last one is NUL unless the text was cut */
#define HOLD_REASON 199u		/* bytes, as in an event's text */
#define HOLD_OPEN ((uint64_t)INT64_MAX) /* a hold without an end */

/* What MSG_COPY asks for: the list of files, or one of them. */
enum copy_what { COPY_LIST, COPY_SEGMENT, COPY_HEAD, COPY_KEY, COPY_HOLDS, COPY_WHATS };

/* Orders of MSG_DEVICES. */
enum devices_order {
	DEVICES_LIST,
	DEVICES_ACCEPT,
	DEVICES_FORGET,
	DEVICES_COPY, /* a copy of the register's file, for a backup */
	DEVICES_TRY,  /* what DEVICES_TAKE would do, without doing it */
	/* replaces the list of this box by such a copy, if this box's list has not been reviewed */
	DEVICES_TAKE,
	DEVICES_ORDERS
};
/* how many devices without a review the status names */
#define DEVICES_TOLD 8u
/* seconds after which a register without a review is an alarm */
#define DEVICES_LEARN_S 604800u
/* bytes for one device: MAC address, interface and zone, "" = none; the last byte is NUL */
#define DEVICES_TOLD_BYTES 208u

/* how many servers with weak TLS and without a review the status names */
#define WEAK_TOLD 8u
/* "[2001:db8::1]:443" with its NUL; "" = the servers of a conduit that have no entry of their
 * own */
#define WEAK_TOLD_SERVER 56u
#define WEAK_TOLD_CONDUIT 65u /* bytes, the last one NUL */

#define TRENDS_EAST 54000u /* seconds: no clock of a country is further from Greenwich */

/* Orders of MSG_ATTACKS. */
enum attacks_order { ATTACKS_LIST, ATTACKS_ACKNOWLEDGE, ATTACKS_SILENCE, ATTACKS_TEST, ATTACKS_ORDERS };
/* bytes of the machines at one end of an alarm, the last one NUL */
#define ATTACK_END 160u
/* how many ringing alarms the status names */
#define ATTACK_TOLD 8u
#define ATTACK_SILENT_MOST (30u * 86400u) /* seconds */

/* How many sessions of each kind MSG_APPLIED names, in at most TOLD_JSON_NAMED bytes. Further
 * sessions are counted. */
#define TOLD_MOST 16384u
#define TOLD_JSON_NAMED (12u << 20)
/* largest list in bytes that is accepted, with brackets and commas */
#define TOLD_JSON_TAKEN (16u << 20)

#define REVIEW_NOTE 180u	       /* bytes; an event's text at most */
#define REVIEW_CLAUSE 60u	       /* bytes, NUL included */
#define REVIEW_ASKED_S (366u * 86400u) /* after this time a clause is asked again at the latest */

/* The status of an answer, and the exit status of a program: yes; no; the question is invalid; it
 * could not be answered. */
enum answer_status { ANSWER_YES, ANSWER_NO, ANSWER_INVALID, ANSWER_CANNOT };

/* The state of a gate: it has no worker; its worker has not begun its loop; its worker runs. */
enum gate_state { GATE_ALONE, GATE_STARTING, GATE_RUNNING };
#define GATE_STATES (GATE_RUNNING + 1u)
/* The state of the box's own API token (mgmt/web/secrets.h). */
enum mgmt_token {
	TOKEN_KEPT,
	TOKEN_ANEW, /* the old token could not be used, and a new one was made */
	TOKEN_NONE  /* the new one could not be written either: there is no token */
};
#define MGMT_TOKENS (TOKEN_NONE + 1u)

/* Why a compiler has no result although nothing is wrong with the policy. */
enum compile_trouble { COMPILE_NO_TROUBLE, COMPILE_NO_MEMORY, COMPILE_BAD_BUNDLE, COMPILE_TROUBLES };

/* The certificate for which all backups are encrypted, except those that root makes. */
#define BACKUP_CERTIFICATE "/etc/sekisho/backup.pem"
#define BACKUP_CERTIFICATE_MOST (64u << 10)
/* The certificate that rsyslogd shows to a log server with
 * RELP (images/systemd/sekisho-log.service). */
#define LOG_CERTIFICATE "/etc/sekisho/log-certificate.pem"
/* Why there is no backup: the file has no certificate; it has a private key; its key cannot be used
 * for encryption; the box's own texts were invalid. */
enum seal_trouble { SEAL_NO_TROUBLE, SEAL_NO_CERTIFICATE, SEAL_PRIVATE_KEY, SEAL_KEY, SEAL_NONSENSE, SEAL_TROUBLES };

/* What an operation of the supervisor does. */
enum op_kind {
	OP_NONE,
	OP_BOOT, /* loads the generation in force again: at the start, and for a new enforce */
	OP_APPLY,
	OP_DRY_RUN,
	OP_ROLLBACK, /* asked for */
	OP_REVERT,   /* the end of a trial */
	OP_CONFIRM,  /* done at once when its turn comes */
	OP_RELEASE,  /* as OP_CONFIRM: devices are given back to the first namespace */
	OP_KINDS
};

/* Why the supervisor does not begin an operation; control puts it into words (control/refusal.c),
 * with the number that the supervisor adds. */
enum op_refusal {
	REFUSAL_NONE,
	REFUSAL_NO_TRIAL,    /* there is no trial to confirm */
	REFUSAL_TRIAL,	     /* a trial stands */
	REFUSAL_OTHER_TRIAL, /* another generation is on trial than `number` */
	REFUSAL_MOVED,	     /* the policy that the order was given for is no longer in force */
	/* it was rolled back already; a further step would go to `number`, 0 = none */
	REFUSAL_ROLLED_BACK,
	REFUSAL_NO_SUCH,     /* there is no generation `number` */
	REFUSAL_NO_PREVIOUS, /* there is none to go back to */
	REFUSAL_SAME,	     /* generation `number` is the policy in force */
	REFUSAL_FURTHER,     /* to go back to generation `number` is more than one step */
	REFUSAL_BUSY,	     /* another operation runs: its kind is `number`, its author `by` */
	REFUSALS
};

/* compute what would be cut, have the kernel try the transaction, change nothing */
#define APPLY_DRY_RUN 1u
#define APPLY_BOOT 2u	   /* first load after the start: adopt the rules that are in the kernel */
#define APPLY_FORETELL 4u  /* compute what would be cut, nothing else */
#define APPLY_TAKE_OVER 8u /* may end the trial that stands */
/* from the command line: the texts are from a backup, which the comment names */
#define APPLY_RESTORED 16u
#define APPLY_TELL 32u	/* the client that waits for the answer wants MSG_PROGRESS */
#define APPLY_TRIAL 64u /* from the supervisor to enforce: the generation is on trial at first */
#define APPLY_FLAGS                                                                                                    \
	(APPLY_DRY_RUN | APPLY_BOOT | APPLY_FORETELL | APPLY_TAKE_OVER | APPLY_RESTORED | APPLY_TELL | APPLY_TRIAL)

/* Questions of control to the supervisor itself, for the supervisor's part of the answer to
 * a client. */
enum box_what { BOX_STATUS, BOX_RULES, BOX_WHATS };
/* Files of which the supervisor gives control a descriptor: BACKUP_CERTIFICATE
 * and LOG_CERTIFICATE. */
enum box_file { BOX_FILE_BACKUP, BOX_FILE_LOG, BOX_FILES };

#define RELEASE_LIST 1u /* list the devices, release nothing */

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
