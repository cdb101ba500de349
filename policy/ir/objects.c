/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/ir/objects.h"
#include "policy/ir/ir.h"
#include "policy/ir/sets.h"

/* The tables of objects.def, one for each object. `sizeof` does not evaluate its null pointer. */
#define MEMBER_SIZE(tag, member) sizeof(((struct tag *)0)->member)
#define ELEMENT_SIZE(tag, member) sizeof(*((struct tag *)0)->member)
#define AT(tag, member) .at = offsetof(struct tag, member)
#define HERE(tag, member) AT(tag, member), .size = MEMBER_SIZE(tag, member)
#define MANY(tag, member) AT(tag, member), .size = ELEMENT_SIZE(tag, member), .n_at = offsetof(struct tag, n_##member)
#define INTO(list) .list_at = offsetof(struct ir, list), .list_n_at = offsetof(struct ir, n_##list)

#define ROW(k, name, v) .kind = IR_##k, .key = (name), .since = (v)
/* clang-format off */
#define OBJECT(tag) static const struct ir_field fields_##tag[] = {
#define END(tag) }; static const struct ir_object of_##tag = { fields_##tag, sizeof(fields_##tag) / sizeof(fields_##tag[0]), sizeof(struct tag) };
/* clang-format on */
#define TEXT(tag, member, name, v) { ROW(TEXT, name, v), HERE(tag, member) },
#define SOURCE_TEXT(tag, member, n, name, v)                                                                           \
	{ ROW(SOURCE_TEXT, name, v), HERE(tag, member), .also = offsetof(struct tag, n) },
#define FLAG(tag, member, name, v) { ROW(FLAG, name, v), HERE(tag, member) },
#define CHOICE(tag, type, member, name, v, w) { ROW(CHOICE, name, v), HERE(tag, member), .words = (w) },
#define NUMBER(tag, type, member, name, v, least, most)                                                                \
	{ ROW(NUMBER, name, v), HERE(tag, member), .lo = (least), .hi = (most) },
#define TIME(tag, member, name, v) { ROW(TIME, name, v), HERE(tag, member) },
#define INDEX(tag, member, name, v, list) { ROW(INDEX, name, v), HERE(tag, member), INTO(list) },
#define INDEX_OR_NONE(tag, member, name, v, list) { ROW(INDEX_OR_NONE, name, v), HERE(tag, member), INTO(list) },
#define INDEXES(tag, member, name, v, list) { ROW(INDEXES, name, v), MANY(tag, member), INTO(list) },
#define ADDRESS_OR_NONE(tag, member, name, v) { ROW(ADDRESS_OR_NONE, name, v), HERE(tag, member) },
#define RANGE(tag, member, name, v) { ROW(RANGE, name, v), HERE(tag, member) },
#define RANGES(tag, member, name, v) { ROW(RANGES, name, v), MANY(tag, member) },
#define HOSTS(tag, member, lengths, name, v)                                                                           \
	{ ROW(HOSTS, name, v), MANY(tag, member), .also = offsetof(struct tag, lengths) },
#define TRANSPORT(tag, member, name, v) { ROW(TRANSPORT, name, v), HERE(tag, member) },
#define PORTS(tag, least, most, name, v) { ROW(PORTS, name, v), HERE(tag, least), .also = offsetof(struct tag, most) },
#define LANE(tag, member, name, v) { ROW(LANE, name, v), HERE(tag, member) },
#define PROTOCOLS(tag, member, name, v) { ROW(PROTOCOLS, name, v), HERE(tag, member) },
#define DIGEST(tag, member, name, v) { ROW(DIGEST, name, v), HERE(tag, member) },
#define LIST(tag, member, name, v, element) { ROW(LIST, name, v), MANY(tag, member), .of = &of_##element },
#define BESIDE(declaration)

#include "policy/ir/objects.def"

const struct ir_object *const ir_generation = &of_ir, *const ir_permits = &of_ir_permit;

#define LEAST_ADDRESS 5u /* family and four bytes */

static size_t least_of(const struct ir_field *f)
{
	switch (f->kind) {
	case IR_PROTOCOLS:
		return 4u * PROTO_SET_WORDS;
	case IR_TEXT:
	case IR_SOURCE_TEXT:
	case IR_INDEXES:
	case IR_RANGES:
	case IR_HOSTS:
	case IR_LIST:
		return 4; /* a length or a count */
	case IR_ADDRESS_OR_NONE:
		return 1;
	case IR_RANGE:
		return 2 * LEAST_ADDRESS;
	case IR_PORTS:
		return 4;
	case IR_FLAG:
	case IR_CHOICE:
	case IR_NUMBER:
	case IR_TIME:
	case IR_INDEX:
	case IR_INDEX_OR_NONE:
	case IR_TRANSPORT:
	case IR_LANE:
	case IR_DIGEST:
		break;
	}
	return f->size; /* sealed in its size in memory */
}

size_t ir_least(const struct ir_object *o, uint32_t version)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n; i++)
		if (o->fields[i].since <= version)
			n += least_of(&o->fields[i]);
	return n;
}
