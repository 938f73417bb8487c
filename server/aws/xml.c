#include "riposte/aws/xml.h"

#include "riposte/base/buffer.h"

#include <expat.h>

#include <assert.h>

/* An element that is open, with its last child for appending. */
struct open_element {
    struct xml_element *element, *last;
};

struct document {
    XML_Parser parser;
    struct arena *arena;
    struct open_element open[XML_DEPTH];
    size_t depth, element_count;
    struct buffer text; /* of the innermost element so far */
    struct xml_element *root;
    const char *refusal; /* why parsing was stopped by us */
};

static void refuse(struct document *document, const char *why) {
    document->refusal = why;
    XML_StopParser(document->parser, XML_FALSE);
}

static void add_child(struct open_element *parent, struct xml_element *child) {
    if (parent->last == NULL) {
        parent->element->first = child;
    } else {
        parent->last->next = child;
    }
    parent->last = child;
    parent->element->child_count++;
}

static void begin(void *arg, const XML_Char *name, const XML_Char **attributes) {
    struct document *document = arg;
    (void)attributes;
    if (document->refusal != NULL) {
        return;
    }
    if (document->depth == XML_DEPTH || document->element_count == XML_ELEMENTS) {
        refuse(document, document->depth == XML_DEPTH ? "too deep" : "too many elements");
        return;
    }
    struct xml_element *element = arena_alloc(document->arena, sizeof(*element));
    element->name = arena_copy_text(document->arena, text_of(name));
    if (document->depth > 0) {
        add_child(&document->open[document->depth - 1], element);
    } else {
        document->root = element;
    }
    document->open[document->depth++] = (struct open_element){.element = element};
    document->element_count++;
    buffer_clear(&document->text);
}

static void end(void *arg, const XML_Char *name) {
    struct document *document = arg;
    (void)name;
    if (document->refusal != NULL) {
        return;
    }
    assert(document->depth > 0);
    struct xml_element *element = document->open[--document->depth].element;
    if (element->first == NULL) {
        element->text = arena_copy_text(document->arena, buffer_text(&document->text));
    }
    buffer_clear(&document->text);
}

static void add_text(void *arg, const XML_Char *text, int bytes) {
    struct document *document = arg;
    if (document->refusal == NULL) {
        buffer_append(&document->text, text, (size_t)bytes);
    }
}

static void refuse_document_type(void *arg, const XML_Char *name, const XML_Char *system_id,
                                 const XML_Char *public_id, int has_internal_subset) {
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal_subset;
    refuse(arg, "a document type");
}

static bool parse(struct document *document, struct text text, struct error *error) {
    XML_SetUserData(document->parser, document);
    XML_SetElementHandler(document->parser, begin, end);
    XML_SetCharacterDataHandler(document->parser, add_text);
    XML_SetStartDoctypeDeclHandler(document->parser, refuse_document_type);
    assert(text.bytes <= INT32_MAX);
    if (XML_Parse(document->parser, text.data, (int)text.bytes, XML_TRUE) == XML_STATUS_OK) {
        return true;
    }
    unsigned long line = XML_GetCurrentLineNumber(document->parser);
    if (document->refusal != NULL) {
        return error_set(error, ERROR_LIMIT, "XML, line %lu: %s", line, document->refusal);
    }
    return error_set(error, ERROR_INVALID, "XML, line %lu: %s", line,
                     XML_ErrorString(XML_GetErrorCode(document->parser)));
}

bool xml_parse(struct text text, struct arena *arena, const struct xml_element **root_out,
               struct error *error) {
    struct document document = {.arena = arena, .text = BUFFER_INIT};
    document.parser = XML_ParserCreate(NULL);
    assert(document.parser != NULL);
    bool is_parsed = parse(&document, text, error);
    XML_ParserFree(document.parser);
    buffer_done(&document.text);
    if (is_parsed) {
        *root_out = document.root;
    }
    return is_parsed;
}

const struct xml_element *xml_child(const struct xml_element *element, const char *name) {
    const struct xml_element *child = element != NULL ? element->first : NULL;
    while (child != NULL && !text_equal_string(child->name, name)) {
        child = child->next;
    }
    return child;
}

struct text xml_text(const struct xml_element *element) {
    return element != NULL ? element->text : TEXT("");
}
