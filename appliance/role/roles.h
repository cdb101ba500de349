/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The roles of sekishod: entry points, and the descriptors that a role's process has from the
 * supervisor when its program starts. Besides these, only standard error is open in a role.
 */
#ifndef SEKISHO_ROLE_ROLES_H
#define SEKISHO_ROLE_ROLES_H

#include "appliance/wire/lane.h"
#include "appliance/wire/msg.h"

#define ROLE_FD_CONTROL 3 /* SEQPACKET to the supervisor; its end means: exit */
#define ROLE_FD_EVENTS 4  /* SEQPACKET, non-blocking, for struct event_port */
#define ROLE_FD_FIRST 5	  /* from here on the role's own descriptors: */

/* enforce: a socket for requests and one for notifications of changes, both NETLINK_NETFILTER in
 * the data namespace; where the kernel has it, the verdict cache's programs by kind of lane */
#define ENFORCE_FD_REQUESTS 5
#define ENFORCE_FD_MONITOR 6
#define ENFORCE_FD_ONCE 7 /* RULE_FD_ONCE of kernel/rule.h: this descriptor and the next one */
/* gate: raw sockets that only send, the kernel's table of queues, a socket to look sessions up, and
 * its pulse */
#define GATE_FD_RESET4 5
#define GATE_FD_RESET6 6
#define GATE_FD_QUEUES 7
#define GATE_FD_SESSIONS 8
#define GATE_FD_PULSE 9
/* worker: what its predecessors have counted (wire/kept_counts.h) */
#define DPI_FD_COUNTS 5
/* tap: in the data namespace the NFLOG group, and notifications of connection tracking and of the
 * neighbour table */
#define TAP_FD_LOG 5
#define TAP_FD_SESSIONS 6
#define TAP_FD_NEIGHBOURS 7
/* journal: its folder; the folder of its signing key, which is not copied or sent; a socket on
 * which it is told generations, and memory in which it leaves them to its successor
 * (journal/remembered.h). Both outlive it, so no generation is lost */
#define JOURNAL_FD_FOLDER 5
#define JOURNAL_FD_KEY 6
#define JOURNAL_FD_TOLD 7
#define JOURNAL_FD_NAMES 8
#define JOURNAL_NAMES_BYTES (15ull << 28) /* only what is written takes memory */
/* mgmt: listening socket in the admin namespace, folder of its secrets, its channel to control */
#define MGMT_FD_LISTEN 5
#define MGMT_FD_SECRETS 6
#define MGMT_FD_PEOPLE 7
/* control: its folder, the two sockets on which it accepts connections (the second one is /dev/null
 * where there is no group of logins), and memory in which it leaves its alarms to its successor */
#define CONTROL_FD_FOLDER 5
#define CONTROL_FD_SOCKET 6
#define CONTROL_FD_LOGINS 7
#define CONTROL_FD_ALARMS 8
#define CONTROL_FD_QUEUES 9 /* the kernel's table of queues (outstanding.h) */
#define CONTROL_ALARMS_BYTES 16384u
/* accounts: its folder, and the sockets of its two children, which hash passphrases and check
 * signatures of security keys */
#define ACCOUNTS_FD_FOLDER 5
#define ACCOUNTS_FD_HASHER 6
#define ACCOUNTS_FD_WEBAUTHN 7

/* Each returns the exit status of its process. role_compile is in a program of its
 * own (appliance/compile/main.c). */
int role_enforce(void);
int role_gate(enum lane_kind kind);
int role_dpi(enum lane_kind kind);
int role_tap(void);
int role_compile(void);
int role_journal(void);
int role_mgmt(void);
int role_accounts(void);
int role_control(void);

#endif
