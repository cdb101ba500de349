/* SPDX-License-Identifier: Apache-2.0 */
/* The data of plain requests: attributes and values; and PCCC. */
#include "dpi/enip/cip.h"

#include <string.h>

#include "appliance/wire/vocabulary.h"

/* ranges of attributes in one list; for a list with more ranges, all attributes from the lowest to
 * the highest count */
#define RUNS_MAX 4u
#define ATTRIBUTES ((uint32_t)1 << ENIP_ATTRIBUTE_BITS)

#define STRUCTURE 0x02a0u /* type code of a structure, followed by the structure's handle */

/* ---- operations ------------------------------------------------------------------------------ */

uint32_t cip_code(uint16_t class, uint8_t service)
{
	return service < ENIP_CLASS_SERVICES ? service : ENIP_OF_CLASS(class, service);
}

struct operation *build_add(struct build *b, uint32_t code)
{
	struct operation *o;

	if (b->p->n == OPERATIONS_MAX) {
		b->crowded = true;
		return NULL;
	}
	o = &b->p->operations[b->p->n++];
	*o = (struct operation){ .service = code,
				 .targets = { b->way.far ? ENIP_ROUTE_FAR : b->way.route },
				 .broadcast = b->way.far ? 1 : 0,
				 .group = b->group,
				 .space = SPACE_NONE };
	/* The effect of a service without a name is not known, so its addresses are not limited by
	 * its path. */
	if (function_by_code(&vocabulary_enip, code) == NULL) {
		o->place_unknown = true;
		o->values.form = VALUES_UNKNOWN;
	}
	return o;
}

void build_place(struct operation *o, const struct enip_object *object, uint32_t first, uint32_t last)
{
	uint64_t class = (uint64_t)object->class << (ENIP_INSTANCE_BITS + ENIP_ATTRIBUTE_BITS);
	uint64_t instance = (uint64_t)object->instance << ENIP_ATTRIBUTE_BITS;

	o->space = ENIP_OBJECTS;
	if (!object->has_instance) {
		o->first = class;
		o->count = (uint64_t)1 << (ENIP_INSTANCE_BITS + ENIP_ATTRIBUTE_BITS);
	} else if (last >= ATTRIBUTES) {
		/* beyond the range of the number: the whole object counts */
		o->first = class | instance;
		o->count = ATTRIBUTES;
	} else {
		o->first = class | instance | first;
		o->count = last - first + 1u;
	}
}

void build_place_tag(struct operation *o, const struct enip_path *path)
{
	o->space = ENIP_TAGS;
	o->first = path->tag;
	o->count = 1;
	o->spelling = path->whole.p;
	o->n_spelling = (uint16_t)path->whole.left;
}

/* ---- attributes and values ------------------------------------------------------------------- */

static void write_values(struct operation *o, struct values v)
{
	if (o != NULL)
		o->values = v;
}

static bool service_writes(uint32_t code)
{
	const struct function_info *f = function_by_code(&vocabulary_enip, code);

	return f == NULL || (f->classes & CLASS_WRITE) != 0;
}

/*
 * Whether the service is about one attribute, or a member of one. Other services ignore an
 * attribute in the path: OpENer then reads or writes the whole instance, or the attributes that the
 * data list.
 */
static bool is_of_attribute(uint32_t code)
{
	return code == 0x0eu || code == 0x10u || (code >= 0x18u && code <= 0x1bu);
}

/*
 * Adds an operation for the tag and for each object in the path, the innermost last. A row has to
 * allow all these operations, because servers differ in which part of the path they use. Returns
 * the last operation; NULL when there is no room.
 */
static struct operation *touch_path(struct build *b, const struct cip_request *r, uint32_t first, uint32_t last)
{
	struct operation *o = NULL;
	const struct values unknown = { .form = VALUES_UNKNOWN };
	/* some servers, such as cpppo, ignore the path after the tag */
	uint32_t of_tag = cip_code(CLASS_SYMBOL, r->service);

	if (r->path.has_tag && (o = build_add(b, of_tag)) != NULL) {
		build_place_tag(o, &r->path);
		o->n_within = r->path.n_within;
		memcpy(o->within, r->path.within, sizeof(o->within));
		write_values(o, service_writes(of_tag) ? unknown : o->values);
	}
	for (uint8_t i = 0; i < r->path.n_objects; i++) {
		const struct enip_object *object = &r->path.objects[i];
		bool inner = i + 1u == r->path.n_objects;

		o = build_add(b, r->code);
		if (o == NULL)
			return NULL;
		if (inner && !object->has_attribute)
			build_place(o, object, first, last);
		else if (object->has_attribute && is_of_attribute(r->code))
			build_place(o, object, object->attribute, object->attribute);
		else
			build_place(o, object, 0, ATTRIBUTES);
		write_values(o, service_writes(r->code) ? unknown : o->values);
	}
	return o;
}

static struct operation *touch_all(struct build *b, const struct cip_request *r)
{
	return touch_path(b, r, 0, ATTRIBUTES);
}

/* Like touch_path(), but the last operation also covers all instances after the named one. */
static void touch_onward(struct build *b, const struct cip_request *r)
{
	struct operation *o = touch_all(b, r);
	uint64_t end;

	if (o == NULL || r->path.n_objects == 0)
		return;
	end = ((uint64_t)r->path.objects[r->path.n_objects - 1u].class + 1u)
	      << (ENIP_INSTANCE_BITS + ENIP_ATTRIBUTE_BITS);
	o->count = end - o->first;
}

/* Reads a list of attributes; each range becomes one operation. */
static bool get_list(struct build *b, const struct cip_request *r)
{
	struct bytes data = r->data, again;
	uint16_t n, attribute, lo = UINT16_MAX, hi = 0, before = 0;
	uint32_t runs = 0;

	if (!bytes_le16(&data, &n) || data.left != 2u * (size_t)n)
		return false;
	if (n == 0)
		return touch_all(b, r) != NULL || b->crowded;
	again = data;
	for (uint32_t i = 0; i < n && bytes_le16(&data, &attribute); i++) {
		runs += i == 0 || attribute != before + 1u;
		lo = attribute < lo ? attribute : lo;
		hi = attribute > hi ? attribute : hi;
		before = attribute;
	}
	if (data.failed || !bytes_done(&data))
		return false;
	if (runs > RUNS_MAX) {
		touch_path(b, r, lo, hi);
		return true;
	}
	for (uint32_t i = 0; i < n; i++) {
		bytes_le16(&again, &attribute);
		if (i > 0 && attribute != before + 1u)
			touch_path(b, r, lo, before);
		if (i == 0 || attribute != before + 1u)
			lo = attribute;
		before = attribute;
	}
	touch_path(b, r, lo, before);
	return true;
}

uint32_t cip_size_of_type(uint16_t type, bool *ret_number)
{
	*ret_number = true;
	switch (type) {
	case 0xc1: /* BOOL */
	case 0xc2: /* SINT */
	case 0xc6: /* USINT */
	case 0xd1: /* BYTE */
		return 1;
	case 0xc3: /* INT */
	case 0xc7: /* UINT */
	case 0xd2: /* WORD */
		return 2;
	case 0xc4: /* DINT */
	case 0xc8: /* UDINT */
	case 0xd3: /* DWORD */
		return 4;
	case 0xca: /* REAL */
		*ret_number = false;
		return 4;
	case 0xc5: /* LINT */
	case 0xc9: /* ULINT */
	case 0xcb: /* LREAL */
	case 0xd4: /* LWORD */
		*ret_number = false;
		return 8;
	default:
		*ret_number = false;
		return 0;
	}
}

/* `count` unsigned values of `size` bytes. */
static struct values numbers_at(uint32_t size, uint32_t count, struct bytes at)
{
	if (size == 1)
		return values_at(VALUES_U8, count, at);
	if (size == 2)
		return values_at(VALUES_U16LE, count, at);
	if (size == 4)
		return values_at(VALUES_U32LE, count, at);
	return (struct values){ .form = VALUES_UNKNOWN };
}

/*
 * Whether the data end with a byte of padding. libplctag pads an odd number of bytes to words, and
 * Omron's controllers use a word for a BOOL. The padding must be 0, and counts as one more written
 * value, because servers that go by the length write it.
 */
static bool is_padded(uint32_t size, uint32_t values, uint32_t due, struct bytes data)
{
	uint8_t last = 1;

	if (size != 1 || values != due + 1u || (due & 1u) == 0)
		return false;
	bytes_skip(&data, data.left - 1u);
	return bytes_u8(&data, &last) && last == 0;
}

/* Reads a write to a tag: type, number of values, offset (only if `fragment`), and exactly that
 * many values. */
static bool write_tag(struct build *b, const struct cip_request *r, bool fragment)
{
	struct bytes data = r->data;
	uint16_t type, structure, n;
	uint32_t at = 0, size, here, due;
	bool number;

	bytes_le16(&data, &type);
	if (type == STRUCTURE)
		bytes_le16(&data, &structure);
	bytes_le16(&data, &n);
	if (fragment)
		bytes_le32(&data, &at);
	size = cip_size_of_type(type, &number);
	if (data.failed || n == 0 || data.left == 0)
		return false;
	here = size != 0 ? (uint32_t)(data.left / size) : 0;
	if (size != 0 && (data.left % size != 0 || at % size != 0 || at / size > n))
		return false;
	due = size != 0 ? n - at / size : 0;
	if (size != 0 && (fragment ? here > due : here != due) && !is_padded(size, here, due, data))
		return false;
	write_values(touch_all(b, r),
		     number ? numbers_at(size, here, data) : (struct values){ .form = VALUES_UNKNOWN });
	return true;
}

/* The type of the value depends on the attribute. So the value is reported as the number that its
 * bytes form, low byte first. */
static bool set_single(struct build *b, const struct cip_request *r)
{
	if (r->data.left == 0)
		return false;
	write_values(touch_all(b, r), numbers_at((uint32_t)r->data.left, 1, r->data));
	return true;
}

static bool is_masked_write(struct bytes data)
{
	uint16_t n;

	return bytes_le16(&data, &n) && (n == 1 || n == 2 || n == 4 || n == 8 || n == 12) && data.left == 2u * n;
}

bool build_request(struct build *b, const struct cip_request *r)
{
	struct bytes data = r->data;
	size_t n = data.left;
	uint16_t count;

	switch (r->code) {
	/* These reads may carry data: some classes (0xac of Rockwell's modules) have them, and
	 * pycomm3 appends a route. Neither limits what is read. */
	case 0x01: /* all attributes */
	case 0x0e: /* one */
		return touch_all(b, r) != NULL || b->crowded;
	case 0x03:
		return get_list(b, r);
	case 0x10:
		return set_single(b, r);
	case ENIP_OF_CLASS(CLASS_SYMBOL, 0x4c):
		return n == 2 && (touch_all(b, r) != NULL || b->crowded);
	case ENIP_OF_CLASS(CLASS_SYMBOL, 0x52):
		return n == 6 && (touch_all(b, r) != NULL || b->crowded);
	case ENIP_OF_CLASS(CLASS_SYMBOL, 0x4d):
		return write_tag(b, r, false);
	case ENIP_OF_CLASS(CLASS_SYMBOL, 0x53):
		return write_tag(b, r, true);
	case ENIP_OF_CLASS(CLASS_SYMBOL, 0x4e):
		return is_masked_write(r->data) && (touch_all(b, r) != NULL || b->crowded);
	case ENIP_OF_CLASS(CLASS_SYMBOL, 0x55):
		touch_onward(b, r);
		return bytes_le16(&data, &count) && data.left == 2u * (size_t)count;
	case 0x11: /* for the next existing instance, whatever its number */
		touch_onward(b, r);
		return true;
	/* the data have a meaning of their own; the whole named object counts as touched */
	default:
		touch_all(b, r);
		return true;
	}
}

/* Reads the requester id with its length, command, status 0, transaction number, and the function
 * if the command has functions. */
bool build_pccc(struct build *b, const struct cip_request *r)
{
	struct bytes data = r->data;
	uint16_t transaction;
	uint8_t n, command, status, function = 0;
	struct cip_request inner = *r;

	if (!bytes_u8(&data, &n) || n == 0 || !bytes_skip(&data, n - 1u))
		return false;
	bytes_u8(&data, &command);
	bytes_u8(&data, &status);
	bytes_le16(&data, &transaction);
	if (command == 0x06 || command == 0x07 || command == 0x0f)
		bytes_u8(&data, &function);
	if (data.failed || status != 0 || (command & 0xf0u) != 0)
		return false;
	inner.code = ENIP_PCCC(command, function);
	touch_all(b, &inner);
	return true;
}
