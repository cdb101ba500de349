/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may give orders, and what a compromised control can make the supervisor do: people connect
 * who are not root, and control passes on orders of its own, questions that it may not ask, and
 * statements about a draft that nobody asked for. The test counts the operations that begin.
 * Accounts is scripted: it knows one secret.
 *
 * LINK: appliance/supervise/orders.c appliance/supervise/persons.c appliance/supervise/relay.c
 * LINK: appliance/role/who.c
 * LINK: appliance/base/logins.c appliance/wire/msg.c appliance/wire/orders.c
 * LINK: appliance/wire/judged.c appliance/supervise/records.c appliance/wire/event.c
 * LINK: appliance/wire/protocols.c
 * LINK: appliance/wire/duty.c appliance/base/sentence.c appliance/kernel/isolation_pairs.c
 * LINK: appliance/kernel/apart.c policy/ir/isolation.c policy/ir/meaning.c
 * LINK: appliance/kernel/image.c policy/ir/names.c appliance/base/arena.c
 * LINK: appliance/base/messages.c appliance/base/errno_text.c appliance/base/json.c
 * LINK: appliance/base/addr.c appliance/base/utf8.c appliance/base/memfd.c appliance/base/bytes.c
 * LINK: appliance/base/sha256.c appliance/base/err.c appliance/base/atomic_file.c
 * LINK: appliance/store/listed.c appliance/store/moment.c appliance/base/clock.c
 * LIBS: jansson nettle
 */
#include "appliance/supervise/asker.h"
#include "appliance/supervise/companions.h"
#include "appliance/supervise/ground.h"
#include "appliance/supervise/op.h"
#include "appliance/supervise/operation.h"
#include "appliance/supervise/orders.h"
#include "appliance/supervise/papers.h"
#include "appliance/supervise/policy.h"
#include "appliance/supervise/relay.h"
#include "appliance/supervise/slot.h"
#include "appliance/supervise/supervise.h"
#include "policy/ir/meaning.h"
#include "tests/unit/cmocka.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "appliance/base/memfd.h"
#include "appliance/role/sandbox.h"
#include "appliance/supervise/persons.h"

#define NOBODY 65534u
#define PERSON 54321u

static struct supervisor s;
static struct policy policy;
static struct ir ir;
static struct supervise_options options;
static unsigned begun[4], answered, handed, asked[SLOTS];
static int status_told;
static uint64_t now_ns = 1000;
static struct msg_body last[SLOTS];
static uint32_t last_id[SLOTS];

enum { APPLIED, CONFIRMED, ROLLED_BACK, ELSE };

bool role_send(struct supervisor *of, struct slot *sl, uint32_t id, const struct msg_body *body, const int *fds,
	       size_t n)
{
	unsigned slot = (unsigned)(sl - of->slots);

	(void)fds, (void)n;
	if (body->type == MSG_STANDING || body->type == MSG_PAST || body->type == MSG_GENERATION ||
	    body->type == MSG_GONE)
		return true;
	if (body->type == MSG_HAND) {
		assert_ptr_equal(sl, &of->slots[SLOT_CONTROL]);
		assert_int_equal(relayed_slot(id), SLOT_BOX);
		handed++;
		return true;
	}
	asked[slot]++;
	last[slot] = *body;
	last_id[slot] = id;
	return true;
}

void supervisor_say(const struct supervisor *of, enum message m, ...)
{
	(void)of, (void)m;
}

void role_kill(struct supervisor *of, struct slot *sl)
{
	(void)of, (void)sl;
}

static unsigned renewed; /* how often the management was started anew */

void role_renew(struct supervisor *of, struct slot *sl)
{
	assert_ptr_equal(sl, &of->slots[SLOT_MGMT]);
	renewed++;
}

bool slot_alive(const struct slot *sl)
{
	return sl->state == SLOT_RUNNING;
}

uint64_t generation_step(const struct generation_store *store, uint64_t trial)
{
	(void)store;
	(void)trial;
	return 0;
}

void answer_json(struct supervisor *of, struct asker a, int status, json_t *j)
{
	(void)of;
	answered += a.id != 0;
	status_told = status;
	json_decref(j);
}

void answer_no(struct supervisor *of, struct asker a, int status, json_t *why)
{
	answer_json(of, a, status, why);
}

void answer_fd(struct supervisor *of, struct asker a, int status, int fd)
{
	(void)fd;
	answer_json(of, a, status, NULL);
}

static char tried[32]; /* the service that was tried last */

bool beside_try(struct supervisor *of, const char *service)
{
	(void)of;
	snprintf(tried, sizeof(tried), "%s", service);
	return strcmp(service, "kettle") != 0;
}

uint64_t mono_ns(void)
{
	return now_ns;
}

int policy_memfd(const struct policy *p, const struct table *table, bool journal)
{
	(void)p, (void)table, (void)journal;
	return memfd_sealed("t", "x", 1);
}

const struct generation_record *generation_find(const struct generation_store *store, uint64_t number)
{
	(void)store, (void)number;
	return NULL;
}

void op_ordered(struct supervisor *of, struct asker a, const char *by, struct op_ground g, int texts, int agreed,
		const struct msg_change *order)
{
	enum change_order what = (enum change_order)order->order;

	(void)of, (void)a, (void)by, (void)agreed, (void)g;
	begun[what == CHANGE_CONFIRM ? CONFIRMED : what == CHANGE_ROLLBACK ? ROLLED_BACK : APPLIED]++;
	assert_int_equal(texts >= 0, what != CHANGE_CONFIRM && what != CHANGE_ROLLBACK);
	if (texts >= 0)
		close(texts);
}

void op_release(struct supervisor *of, struct asker a, const char *by, const struct msg_ctl_release *order)
{
	(void)of, (void)a, (void)by, (void)order;
	begun[ELSE]++;
}

void op_stop(struct supervisor *of, uint32_t id)
{
	(void)of, (void)id;
}

void op_forget(struct supervisor *of)
{
	(void)of;
}

static unsigned all_begun(void)
{
	return begun[APPLIED] + begun[CONFIRMED] + begun[ROLLED_BACK] + begun[ELSE];
}

static int begin(void **state)
{
	static const enum role roles[] = {
		[SLOT_JOURNAL] = ROLE_JOURNAL, [SLOT_ENFORCE] = ROLE_ENFORCE,	[SLOT_TAP] = ROLE_TAP,
		[SLOT_MGMT] = ROLE_MGMT,       [SLOT_ACCOUNTS] = ROLE_ACCOUNTS, [SLOT_COMPILE] = ROLE_COMPILE,
		[SLOT_CONTROL] = ROLE_CONTROL, [SLOT_ERRAND] = ROLE_COMPILE,
	};
	struct err e;

	(void)state;
	memset(&s, 0, sizeof(s));
	memset(begun, 0, sizeof(begun));
	memset(asked, 0, sizeof(asked));
	answered = handed = 0;
	policy.ir = &ir;
	s.ground.o = &options;
	s.gens.now = &policy;
	s.sockets.web = -1;
	s.gens.loading.adopted = true;
	for (unsigned i = 0; i < SLOTS; i++) {
		s.slots[i].number = i;
		s.slots[i].state = SLOT_RUNNING;
		s.slots[i].role = i < SLOT_GATE ? roles[i] : i < SLOT_DPI ? ROLE_GATE : ROLE_DPI;
	}
	for (size_t i = 0; i < 2; i++) {
		/* the kernel chooses a name */
		const struct sockaddr any = { .sa_family = AF_UNIX };

		s.sockets.orders[i] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
		assert_int_equal(bind(s.sockets.orders[i], &any, sizeof(any.sa_family)), 0);
		assert_int_equal(listen(s.sockets.orders[i], 16), 0);
	}
	return orders_open(&s, &e) < 0 ? -1 : persons_open(&s, &e);
}

static int finish(void **state)
{
	(void)state;
	orders_gone(&s, &s.slots[SLOT_CONTROL]);
	free(s.orders);
	free(s.persons);
	close(s.sockets.orders[0]);
	close(s.sockets.orders[1]);
	return 0;
}

static uid_t played; /* whose connection it is */

/*
 * Only root can act as another user; then the kernel itself states the user (tests/netns/sandbox
 * runs this as root). For other users the test replaces the kernel's answer.
 */
int getsockopt(int fd, int level, int name, void *value, socklen_t *n)
{
	struct ucred who = { .pid = getpid(), .uid = played, .gid = played };

	if (geteuid() == 0 || level != SOL_SOCKET || name != SO_PEERCRED)
		return (int)syscall(SYS_getsockopt, fd, level, name, value, n);
	memcpy(value, &who, sizeof(who));
	*n = sizeof(who);
	return 0;
}

/* A person of this uid connects, as the kernel states it, and gives the order. */
static void hand(uid_t uid, const struct msg_body *order, bool logins)
{
	const bool carries =
		(order->type == MSG_CTL_CHANGE && order->ctl_change.order == CHANGE_APPLY) ||
		order->type == MSG_CHANGE ||
		(order->type == MSG_CTL_USER && user_order_carries((enum user_order)order->ctl_user.order));
	struct sockaddr_un to;
	socklen_t n = sizeof(to);
	struct pollfd p[PERSONS_POLL];
	int status;
	pid_t pid;

	assert_int_equal(getsockname(s.sockets.orders[logins], (struct sockaddr *)&to, &n), 0);
	played = uid;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int own = socket(AF_UNIX, SOCK_SEQPACKET, 0), texts = memfd_sealed("t", "x", 1);

		if ((geteuid() == 0 && setresuid(uid, uid, uid) < 0) ||
		    connect(own, (const struct sockaddr *)&to, n) < 0)
			_exit(1);
		/* who may not order finds the connection closed, perhaps already */
		(void)msg_send(own, 1, order, &texts, carries);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* it comes, and it speaks */
	for (unsigned turn = 0; turn < 2; turn++) {
		now_ns += SECOND / 50;
		persons_poll(&s, p);
		if (poll(p, PERSONS_POLL, 0) > 0)
			persons_heard(&s, p);
	}
}

static const struct msg_body apply = { MSG_CTL_CHANGE, .ctl_change = { .order = CHANGE_APPLY, .comment = "" } },
			     confirm = { MSG_CTL_CHANGE, .ctl_change = { .order = CHANGE_CONFIRM, .comment = "" } },
			     rollback = { MSG_CTL_CHANGE, .ctl_change = { .order = CHANGE_ROLLBACK, .comment = "" } },
			     release = { MSG_CTL_RELEASE, .ctl_release = { .device = "" } },
			     right_clock = { .type = MSG_CTL_CLOCK },
			     user = { MSG_CTL_USER, .ctl_user = { .order = USER_ADD, .text = "{}" } };

static void root_is_who_the_kernel_says(void **state)
{
	const struct msg_body *const orders[] = { &apply, &confirm, &rollback, &release, &right_clock };

	(void)state;
	s.gens.loading.adopted = true;
	for (size_t i = 0; i < 5; i++) {
		hand(NOBODY, orders[i], false);
		hand(NOBODY, orders[i], true);
		hand(PERSON, orders[i], false);
		hand(sandbox_uid(ROLE_CONTROL), orders[i], false);
		hand(sandbox_uid(ROLE_CONTROL), orders[i], true);
	}
	assert_int_equal(handed, 0);
	/* a person hears that he is not root */
	for (size_t i = 0; i < 5; i++)
		hand(PERSON, orders[i], true);
	assert_int_equal(all_begun(), 0);
	assert_int_equal(handed, 5);
	assert_int_equal(answered, 5);
	assert_int_equal(status_told, ANSWER_CANNOT);
	assert_int_equal(asked[SLOT_ENFORCE], 0);
	for (size_t i = 0; i < 5; i++)
		hand(0, orders[i], false);
	assert_int_equal(all_begun(), 4);
	/* Enforce decides about the clock, and is told who has vouched for it. */
	assert_int_equal(asked[SLOT_ENFORCE], 1);
	assert_int_equal(last[SLOT_ENFORCE].type, MSG_CLOCK);
	assert_true(last_id[SLOT_ENFORCE] != 0 && last[SLOT_ENFORCE].clock.by[0] != '\0');
	assert_int_equal(asked[SLOT_ACCOUNTS], 0);
	/* A user who may do what root may do. */
	hand(NOBODY, &user, true);
	hand(sandbox_uid(ROLE_CONTROL), &user, false);
	assert_int_equal(asked[SLOT_ACCOUNTS], 0);
	hand(0, &user, false);
	assert_int_equal(asked[SLOT_ACCOUNTS], 1);
	assert_int_equal(last[SLOT_ACCOUNTS].type, MSG_USER);
}

/* The register of a backup: nobody but root hands one over, and only once it is in place the
 * management reads its keys anew. */
static void a_register_is_roots(void **state)
{
	static const struct {
		enum user_order order;
		enum answer_status status;
		unsigned renewed;
	} cases[] = { { USER_RESTORE_TRY, ANSWER_YES, 0 },
		      { USER_RESTORE, ANSWER_NO, 0 },
		      { USER_RESTORE, ANSWER_CANNOT, 0 },
		      { USER_RESTORE, ANSWER_YES, 1 },
		      { USER_ADD, ANSWER_YES, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct msg_body order = { MSG_CTL_USER,
						.ctl_user = { .order = (uint8_t)cases[i].order, .text = "{}" } };
		struct msg said = { .body = { MSG_ANSWER, .answer = { .status = (uint8_t)cases[i].status } },
				    .fds = { -1, -1, -1, -1 } };

		renewed = asked[SLOT_ACCOUNTS] = 0;
		hand(NOBODY, &order, true);
		hand(NOBODY, &order, false);
		hand(sandbox_uid(ROLE_CONTROL), &order, false);
		assert_int_equal(asked[SLOT_ACCOUNTS], 0);
		hand(0, &order, false);
		assert_int_equal(asked[SLOT_ACCOUNTS], 1);
		said.id = last_id[SLOT_ACCOUNTS];
		orders_judged(&s, &s.slots[SLOT_ACCOUNTS], &said);
		assert_int_equal(renewed, cases[i].renewed);
	}
}

/* An order about a door goes to enforce with what accounts says of the person, and enforce's answer
 * to whoever gave it. */
static void a_door_is_enforces(void **state)
{
	struct msg m = {
		.body = { MSG_CHANGE,
			  .change = { .order = CHANGE_OPEN, .confirm_s = 600, .object = "nagoya", .comment = "" } },
		.id = relayed_id(SLOT_CONTROL, 7)
	};
	struct msg said = { .body = { MSG_ANSWER, .answer = { .status = ANSWER_YES } },
			    .fds = { -1, -1, -1, -1 },
			    .n_fds = 1 };
	const struct msg_body roots = { MSG_CTL_CHANGE,
					.ctl_change = { .order = CHANGE_SHUT, .object = "nagoya", .comment = "" } };
	static const char who[] = "{\"name\":\"doi\",\"roles\":[\"supervisor\"]}";
	static struct ir_door nagoya = { .name = "nagoya", .organisation = "" };
	uint8_t meant[32];
	const struct msg_door *door = &last[SLOT_ENFORCE].door;

	(void)state;
	ir.doors = &nagoya;
	ir.n_doors = 1;
	assert_true(ir_door_meaning(&ir, "nagoya", meant));
	assert_true(orders_web(&s, &m));
	/* the policy changes while the order waits */
	nagoya.at_most = 60;
	assert_int_equal(asked[SLOT_ENFORCE], 0);
	said.id = last_id[SLOT_ACCOUNTS];
	said.fds[0] = memfd_sealed("w", who, sizeof(who) - 1);
	/* whoever else answers in the place of accounts is not heard */
	assert_false(orders_judged(&s, &s.slots[SLOT_ENFORCE], &said));
	assert_true(orders_judged(&s, &s.slots[SLOT_ACCOUNTS], &said));
	close(said.fds[0]);
	assert_int_equal(asked[SLOT_ENFORCE], 1);
	assert_int_equal(last[SLOT_ENFORCE].type, MSG_DOOR);
	assert_int_equal(door->duties, 1u << DUTY_SUPERVISOR);
	assert_int_equal(door->for_s, 600);
	assert_string_equal((const char *)door->object, "nagoya");
	assert_string_equal((const char *)door->account, "doi");
	assert_memory_equal(door->meant, meant, sizeof(meant));
	assert_int_equal(answered, 0);
	said = (struct msg){ .body = { MSG_ANSWER, .answer = { .status = ANSWER_CANNOT } },
			     .id = last_id[SLOT_ENFORCE] };
	assert_true(orders_judged(&s, &s.slots[SLOT_ENFORCE], &said));
	assert_int_equal(answered, 1);
	hand(NOBODY, &roots, false);
	assert_int_equal(asked[SLOT_ENFORCE], 1);
	hand(0, &roots, false);
	assert_int_equal(asked[SLOT_ENFORCE], 2);
	assert_int_equal(door->duties, DUTIES_ALL);
	assert_string_equal((const char *)door->account, "");
	/* Enforce ends: its successor gets the order once it has a policy, unless it
	 * was decided. */
	answered = 0;
	s.gens.loading.adopted = false;
	orders_gone(&s, &s.slots[SLOT_ENFORCE]);
	orders_again(&s);
	assert_int_equal(answered, 0);
	assert_int_equal(asked[SLOT_ENFORCE], 2);
	s.gens.loading.adopted = true;
	orders_again(&s);
	orders_again(&s);
	assert_int_equal(asked[SLOT_ENFORCE], 3);
	assert_int_equal(door->duties, DUTIES_ALL);
	orders_stored(&s, last_id[SLOT_ENFORCE]);
	orders_gone(&s, &s.slots[SLOT_ENFORCE]);
	assert_int_equal(answered, 1);
}

/* An isolation that enforce does not carry out in time is kept. An enforce that has the order is
 * not given the list: it may go on after all, and carry out later orders. */
static void an_isolation_is_kept(void **state)
{
	static const struct msg_body roots = {
		MSG_CTL_CHANGE, .ctl_change = { .order = CHANGE_ISOLATE, .object = "zone it", .comment = "" }
	};
	struct paper_kept *p = &s.reported.papers[PAPER_ISOLATIONS];

	(void)state;
	s.ground.state_fd = -1; /* nothing can be written: it is tried again */
	p->bytes = (uint8_t *)strdup("[]");
	p->n = 2;
	hand(0, &roots, false);
	assert_int_equal(last[SLOT_ENFORCE].type, MSG_ISOLATE);
	(void)orders_due(&s, now_ns + 9 * SECOND);
	assert_int_equal(status_told, ANSWER_CANNOT);
	assert_int_equal(asked[SLOT_ENFORCE], 1);
	assert_non_null(strstr((const char *)p->bytes, "zone it"));
	/* It has never had this one. */
	s.gens.loading.adopted = false;
	hand(0, &roots, false);
	assert_int_equal(asked[SLOT_ENFORCE], 1);
	(void)orders_due(&s, now_ns + 9 * SECOND);
	assert_int_equal(asked[SLOT_ENFORCE], 2);
	assert_int_equal(last[SLOT_ENFORCE].type, MSG_ISOLATIONS);
	free(p->bytes);
}

/* An order of a session: only the role accounts decides whose session it is, whatever control
 * says. */
static void a_session_is_what_accounts_says(void **state)
{
	struct msg m = { .body = { MSG_CHANGE, .change = { .order = CHANGE_CONFIRM, .family = 4, .comment = "" } },
			 .id = relayed_id(SLOTS, 1),
			 .fds = { -1, -1, -1, -1 } };
	struct msg said = { .body = { MSG_ANSWER, .answer = { .status = ANSWER_NO } }, .fds = { -1, -1, -1, -1 } };

	(void)state;
	assert_true(orders_web(&s, &m));
	assert_int_equal(last[SLOT_ACCOUNTS].type, MSG_JUDGE);
	assert_int_equal(last_id[SLOT_ACCOUNTS] & RELAYED, 0);
	assert_int_equal(all_begun(), 0);
	said.id = last_id[SLOT_ACCOUNTS];
	orders_judged(&s, &s.slots[SLOT_ACCOUNTS], &said);
	assert_int_equal(all_begun(), 0);
	assert_int_equal(answered, 1);
	/* Without a plain yes and a name the order has no person. */
	assert_true(orders_web(&s, &m));
	said = (struct msg){ .body = { MSG_ANSWER, .answer = { .status = ANSWER_YES } },
			     .id = last_id[SLOT_ACCOUNTS],
			     .fds = { memfd_sealed("w", "{}", 2), -1, -1, -1 },
			     .n_fds = 1 };
	orders_judged(&s, &s.slots[SLOT_ACCOUNTS], &said);
	close(said.fds[0]);
	assert_int_equal(all_begun(), 0);
	assert_true(orders_web(&s, &m));
	said.id = last_id[SLOT_ACCOUNTS];
	said.fds[0] = memfd_sealed("w", "{\"name\":\"doi\"}", 14);
	orders_judged(&s, &s.slots[SLOT_ACCOUNTS], &said);
	orders_judged(&s, &s.slots[SLOT_ACCOUNTS], &said); /* once */
	close(said.fds[0]);
	assert_int_equal(begun[CONFIRMED], 1);
}

/* Who orders something about the records is what the kernel, and over the web accounts, says: the
 * names of the order itself do not count. */
static void records_have_the_names_of_the_kernel(void **state)
{
	const struct msg_body lift = {
		MSG_HOLD,
		.hold = { .order = HOLD_LIFT, .number = 7, .family = 4, .by = "mori", .person = "mori", .reason = "r" }
	};
	struct msg m = { .body = { MSG_RECORDS,
				   .records = { .order = RECORDS_ACCEPT, .number = 3, .family = 4, .text = "t" } },
			 .id = relayed_id(SLOT_BOX, 7),
			 .fds = { -1, -1, -1, -1 } };
	struct msg said = { .body = { MSG_ANSWER, .answer = { .status = ANSWER_YES } },
			    .fds = { memfd_sealed("w", "{\"name\":\"doi\"}", 14), -1, -1, -1 },
			    .n_fds = 1 };
	const struct msg_hold *hold = &last[SLOT_JOURNAL].hold;
	const struct msg_devices *devices = &last[SLOT_JOURNAL].devices;

	(void)state;
	hand(0, &lift, false);
	assert_int_equal(asked[SLOT_JOURNAL], 1);
	assert_int_equal(last[SLOT_JOURNAL].type, MSG_HOLD);
	assert_int_equal(hold->number, 7);
	assert_int_equal(hold->family, 0);
	assert_string_not_equal((const char *)hold->by, "mori");
	assert_string_equal((const char *)hold->person, "mori"); /* root names whom he likes */
	hand(NOBODY, &lift, true);
	assert_int_equal(asked[SLOT_JOURNAL], 1);
	/* over the web */
	assert_true(orders_records(&s, &m));
	assert_int_equal(asked[SLOT_JOURNAL], 1);
	assert_int_equal(last[SLOT_ACCOUNTS].type, MSG_JUDGE);
	assert_int_equal(last[SLOT_ACCOUNTS].judge.right, RIGHT_MACHINE);
	said.id = last_id[SLOT_ACCOUNTS];
	assert_true(orders_judged(&s, &s.slots[SLOT_ACCOUNTS], &said));
	close(said.fds[0]);
	assert_int_equal(asked[SLOT_JOURNAL], 2);
	assert_int_equal(last[SLOT_JOURNAL].type, MSG_DEVICES);
	assert_string_equal((const char *)devices->by, "doi");
	assert_string_equal((const char *)devices->person, "doi");
	assert_int_equal(devices->family, 4);
	/* a note that no review has room for */
	m.body.records = (struct msg_records){ .order = RECORDS_REVIEW, .text = (char[REVIEW_NOTE + 2]){ 0 } };
	memset((char *)(uintptr_t)m.body.records.text, 'x', REVIEW_NOTE + 1);
	assert_false(orders_records(&s, &m));
	/* it dies before it answers */
	answered = 0;
	orders_gone(&s, &s.slots[SLOT_JOURNAL]);
	assert_int_equal(answered, 2);
}

/* Nothing about a draft is accepted that was not asked for, nor before accounts was asked. */
static void a_draft_is_asked_for(void **state)
{
	struct msg m = { .body = { MSG_CHANGE, .change = { .order = CHANGE_APPLY, .confirm_s = 60, .comment = "" } },
			 .id = relayed_id(SLOTS, 1),
			 .fds = { -1, -1, -1, -1 } };
	struct msg ground = { .body = { MSG_GROUNDED, .grounded = { .status = ANSWER_YES, .comment = "" } },
			      .n_fds = 1 };

	(void)state;
	assert_true(orders_web(&s, &m));
	for (uint32_t id = 0; id < 8; id++) {
		ground.id = id;
		ground.fds[0] = memfd_sealed("t", "x", 1);
		orders_grounded(&s, &ground);
		msg_close_fds(&ground);
		ground.n_fds = 1;
	}
	assert_int_equal(all_begun(), 0);
	/* Control handles changes of the draft itself: the supervisor refuses them as orders. */
	for (unsigned o = 0; o < CHANGE_ORDERS; o++) {
		m.body.change.order = (uint8_t)o;
		if (o == CHANGE_SAVE || o == CHANGE_ASK || o == CHANGE_APPROVE || o == CHANGE_DECLINE ||
		    o == CHANGE_DISCARD)
			assert_false(orders_web(&s, &m));
	}
}

/* A service is tried out once accounts knows who wants that; one that does not exist is refused. */
static void a_service_is_tried_in_a_name(void **state)
{
	static const char *const services[] = { "backup", "kettle" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct msg m = { .body = { MSG_CHANGE, .change = { .order = CHANGE_SERVICE, .comment = services[i] } },
				 .id = relayed_id(SLOTS, 7),
				 .fds = { -1, -1, -1, -1 } };
		struct msg said = { .body = { MSG_ANSWER, .answer = { .status = ANSWER_YES } },
				    .fds = { memfd_sealed("w", "{\"name\":\"sato\"}", 15), -1, -1, -1 },
				    .n_fds = 1 };

		tried[0] = '\0';
		assert_true(orders_web(&s, &m));
		assert_int_equal(last[SLOT_ACCOUNTS].judge.right, RIGHT_MACHINE);
		assert_string_equal(tried, "");
		said.id = last_id[SLOT_ACCOUNTS];
		orders_judged(&s, &s.slots[SLOT_ACCOUNTS], &said);
		close(said.fds[0]);
		assert_string_equal(tried, services[i]);
		assert_int_equal(status_told, i == 0 ? ANSWER_YES : ANSWER_CANNOT);
	}
}

/* Each message to each process: only messages pass that message.def allows both the supervisor and
 * control to send. */
static void roles_hear_what_control_may_ask(void **state)
{
	static const enum msg_type never[] = { MSG_APPLY,  MSG_TABLE,	   MSG_LANE,   MSG_DPI_START, MSG_CUTS,
					       MSG_IMPACT, MSG_GENERATION, MSG_SOURCE, MSG_RETENTION, MSG_IN_FORCE,
					       MSG_CLOCK,  MSG_COMPILE,	   MSG_WORKER, MSG_PAIRS };

	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_false(msg_may_say(never[i], ROLE_CONTROL, ROLE_SUPERVISOR));
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		struct msg m = { .body = { .type = MSG_FLOWS }, .id = relayed_id(slot, 5), .fds = { -1, -1, -1, -1 } };
		bool enforce = slot == SLOT_ENFORCE;

		assert_int_equal(relay_out(&s, &m), enforce);
	}
	assert_int_equal(asked[SLOT_ENFORCE], 1);
	assert_int_equal(s.slots[SLOT_ENFORCE].works, 1);
	/* An answer that another role sends in its place is ignored. */
	{
		struct msg m = { .body = { .type = MSG_ANSWER },
				 .id = relayed_id(SLOT_ENFORCE, 5),
				 .fds = { -1, -1, -1, -1 } };

		assert_true(relay_back(&s, &s.slots[SLOT_JOURNAL], &m));
		assert_int_equal(asked[SLOT_CONTROL], 0);
		assert_true(relay_back(&s, &s.slots[SLOT_ENFORCE], &m));
		assert_int_equal(asked[SLOT_CONTROL], 1);
		assert_int_equal(s.slots[SLOT_ENFORCE].works, 0);
		m.id = 5;
		assert_false(relay_back(&s, &s.slots[SLOT_ENFORCE], &m));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(root_is_who_the_kernel_says, begin, finish),
		cmocka_unit_test_setup_teardown(a_register_is_roots, begin, finish),
		cmocka_unit_test_setup_teardown(a_door_is_enforces, begin, finish),
		cmocka_unit_test_setup_teardown(an_isolation_is_kept, begin, finish),
		cmocka_unit_test_setup_teardown(a_service_is_tried_in_a_name, begin, finish),
		cmocka_unit_test_setup_teardown(a_session_is_what_accounts_says, begin, finish),
		cmocka_unit_test_setup_teardown(records_have_the_names_of_the_kernel, begin, finish),
		cmocka_unit_test_setup_teardown(a_draft_is_asked_for, begin, finish),
		cmocka_unit_test_setup_teardown(roles_hear_what_control_may_ask, begin, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
