/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words and bounds of what messages say: what an order wants, what an answer means, how long
 * each list and text may be. message.def has the messages themselves.
 */
#ifndef SEKISHO_WIRE_SAID_H
#define SEKISHO_WIRE_SAID_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/orders.h"

/* Stages that the box reports while somebody waits for an answer. */
enum progress_stage {
#define STAGE(id, word) PROGRESS_##id,
#include "appliance/wire/progress.def"
	PROGRESS_STAGES
};

/* "?" for an unknown stage. */
const char *progress_word(enum progress_stage s);

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
#define DOORS_KEPT 256u		 /* these, and openings that are over */
/* spans in which the use of conduits was not watched; further spans are merged */
#define USED_GAPS 16u
#define USED_BYTES (16u << 20) /* bytes of all records of use together */
/* bytes of the name of the person who enters by a door, or of a ticket, NUL included */
#define DOOR_TEXT 64u
#define DOOR_REQUEST 32u    /* bytes of a request's name (enforce/door_book.h), NUL included */
#define DEVICE_MOST 15u	    /* longest name of a device or interface in bytes */
#define CONFIRM_MOST 86400u /* seconds that a trial may last */

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
/* in the run folder: a person wants a backup by schedule now (sekisho-backup.path). The program
 * that makes it removes the file. */
#define BACKUP_NOW "backup-now"
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
	REFUSAL_UNHEARD,     /* what the trial needs was not heard during it */
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

#endif
