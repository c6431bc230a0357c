/* The decode engine as a Python module. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "model.h"

typedef struct {
    PyTypeObject *memory, *model;
} Types;

/* ---- model ---- */

typedef struct {
    PyObject_HEAD
    struct model model;
    const struct path *path;
    struct scratch *spare; /* of the last call, for the next */
    Py_buffer *views;
    Py_ssize_t count;
} Model;

static const struct path *path_named(const char *name) {
    for (int place = 0; paths[place]; place++)
        if (!strcmp(paths[place]->name, name) && paths[place]->supported()) return paths[place];
    PyErr_Format(PyExc_ValueError, "this processor has no path '%s'", name);
    return NULL;
}

static int model_hold(Model *self, PyObject *tensors) {
    Py_ssize_t count = PySequence_Size(tensors);
    if (count < 0) return -1;
    self->views = PyMem_Calloc((size_t)count + 1, sizeof *self->views);
    if (!self->views) return PyErr_NoMemory(), -1;
    for (; self->count < count; self->count++) {
        PyObject *tensor = PySequence_GetItem(tensors, self->count);
        if (!tensor) return -1;
        int failed = PyObject_GetBuffer(tensor, &self->views[self->count], PyBUF_C_CONTIGUOUS);
        Py_DECREF(tensor);
        if (failed) return -1;
        if ((uintptr_t)self->views[self->count].buf % sizeof(float)) {
            PyBuffer_Release(&self->views[self->count]);
            return PyErr_Format(PyExc_ValueError, "tensor %zd does not lie on a multiple of 4 bytes", self->count), -1;
        }
    }
    return 0;
}

/* `sizes`: layers, width, hidden width, vocabulary, and the architecture's ranks. */
static int spec_of(struct spec *spec, const char *architecture, PyObject *sizes) {
    int kind = 0;
    while (kind < ARCHITECTURES && strcmp(architecture_names[kind], architecture)) kind++;
    if (kind == ARCHITECTURES)
        return PyErr_Format(PyExc_ValueError, "no architecture is called '%s'", architecture), -1;
    *spec = (struct spec){.architecture = (enum architecture)kind};
    int *const fixed[] = {&spec->layers, &spec->width, &spec->hidden, &spec->vocabulary};
    enum { FIXED = sizeof fixed / sizeof *fixed };
    Py_ssize_t count = PyTuple_Size(sizes), wanted = FIXED + architecture_ranks[kind];
    if (count != wanted) return PyErr_Format(PyExc_ValueError, "there are %zd sizes, not %zd", count, wanted), -1;
    for (Py_ssize_t place = 0; place < count; place++) {
        long size = PyLong_AsLong(PyTuple_GetItem(sizes, place));
        if (size == -1 && PyErr_Occurred()) return -1;
        int *target = place < FIXED ? fixed[place] : &spec->ranks[place - FIXED];
        *target = size < 0 || size > LARGEST ? 0 : (int)size; /* 0 is refused with what is out of range */
    }
    return 0;
}

static PyObject *model_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"architecture", "sizes", "form", "tensors", "path", NULL};
    struct spec spec;
    const char *architecture, *form_name, *path_name;
    PyObject *sizes, *tensors;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "sO!sOs", names, &architecture, &PyTuple_Type, &sizes,
                                     &form_name, &tensors, &path_name) ||
        spec_of(&spec, architecture, sizes) < 0)
        return NULL;
    static const char *forms[] = {"fp32", "bf16", "int8"};
    int form = 0;
    while (form < 3 && strcmp(forms[form], form_name)) form++;
    if (form == 3) return PyErr_Format(PyExc_ValueError, "no form of weights is called '%s'", form_name);
    const struct path *path = path_named(path_name);
    if (!path) return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Model *self = (Model *)allocate(type, 0); /* all zero */
    if (!self) return NULL;
    self->path = path;
    if (model_hold(self, tensors) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    struct span *spans = PyMem_Calloc((size_t)self->count + 1, sizeof *spans);
    for (Py_ssize_t place = 0; spans && place < self->count; place++)
        spans[place] = (struct span){self->views[place].buf, (size_t)self->views[place].len};
    char message[200];
    const char *fault = spans ? model_open(&self->model, &spec, (enum form)form, spans, (size_t)self->count, message)
                              : "out of memory";
    PyMem_Free(spans);
    if (!fault) return (PyObject *)self;
    Py_DECREF(self);
    return PyErr_Format(PyExc_ValueError, "%s", fault);
}

static void model_dealloc(PyObject *object) {
    Model *self = (Model *)object;
    PyTypeObject *type = Py_TYPE(object);
    model_close(&self->model);
    scratch_close(self->spare);
    for (Py_ssize_t place = 0; place < self->count; place++) PyBuffer_Release(&self->views[place]);
    PyMem_Free(self->views);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

/* Scratch is each call's own while the GIL is released. */
static struct scratch *scratch_take(Model *self, int streams) {
    struct scratch *scratch = self->spare;
    if (scratch && scratch_streams(scratch) == streams) {
        self->spare = NULL;
        return scratch;
    }
    scratch = scratch_open(&self->model.spec, streams);
    if (!scratch) PyErr_NoMemory();
    return scratch;
}

static void scratch_give(Model *self, struct scratch *scratch) {
    scratch_close(self->spare);
    self->spare = scratch;
}

/* `rows` as C integers, each checked; NULL with an exception set. */
static int32_t *rows_of(const Model *self, PyObject *sequence, Py_ssize_t *count) {
    *count = PySequence_Size(sequence);
    if (*count < 0) return NULL;
    int32_t *rows = PyMem_Malloc((size_t)(*count + 1) * sizeof *rows);
    if (!rows) return (int32_t *)PyErr_NoMemory();
    for (Py_ssize_t place = 0; place < *count; place++) {
        PyObject *item = PySequence_GetItem(sequence, place);
        long row = item ? PyLong_AsLong(item) : -1;
        Py_XDECREF(item);
        if (row == -1 && PyErr_Occurred()) goto failed;
        if (row < 0 || row >= self->model.spec.vocabulary) {
            PyErr_Format(PyExc_ValueError, "row %ld is not one of the model's %d", row, self->model.spec.vocabulary);
            goto failed;
        }
        rows[place] = (int32_t)row;
    }
    return rows;
failed:
    PyMem_Free(rows);
    return NULL;
}

static int state_view(const Model *self, PyObject *state, Py_buffer *view) {
    if (PyObject_GetBuffer(state, view, PyBUF_C_CONTIGUOUS) < 0) return -1;
    size_t wanted = state_floats(&self->model.spec) * sizeof(float);
    if ((size_t)view->len == wanted && (uintptr_t)view->buf % sizeof(float) == 0) return 0;
    PyErr_Format(PyExc_ValueError, "a state of this model has %zu bytes, not %zd", wanted, view->len);
    PyBuffer_Release(view);
    return -1;
}

static PyObject *model_step(PyObject *object, PyObject *arguments) {
    Model *self = (Model *)object;
    Types *types = PyType_GetModuleState(Py_TYPE(object));
    PyObject *sequence, *given, *result = NULL, *logits = NULL, *state = NULL;
    if (!PyArg_ParseTuple(arguments, "OO", &sequence, &given)) return NULL;
    Py_ssize_t count;
    int32_t *rows = rows_of(self, sequence, &count);
    if (!rows) return NULL;
    Py_buffer view;
    if (state_view(self, given, &view) < 0) {
        PyMem_Free(rows);
        return NULL;
    }
    struct scratch *scratch = NULL;
    if (count < 1) {
        PyErr_SetString(PyExc_ValueError, "a step needs at least one token");
    } else if ((logits = memory_new(types->memory, logits_floats(&self->model.spec))) &&
               (state = memory_new(types->memory, state_floats(&self->model.spec))) && (scratch = scratch_take(self, 1))) {
        const float *before = view.buf;
        float *after = floats_of(state), *out = floats_of(logits);
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t place = 0; place < count; place++) {
            self->path->step(&self->model, scratch, 1, rows + place, &before, &after, place == count - 1 ? out : NULL);
            before = after;
        }
        Py_END_ALLOW_THREADS
        scratch_give(self, scratch);
        result = PyTuple_Pack(2, logits, state);
    }
    Py_XDECREF(logits);
    Py_XDECREF(state);
    PyBuffer_Release(&view);
    PyMem_Free(rows);
    return result;
}

/* What a batch holds on to until it is done. */
struct batch {
    Py_ssize_t streams, viewed;
    int32_t *rows;
    Py_buffer *views;
    const float **before;
    float **after;
    PyObject *logits, *states;
    struct scratch *scratch;
};

static int batch_open(Model *self, struct batch *batch, PyObject *rows, PyObject *states) {
    Types *types = PyType_GetModuleState(Py_TYPE((PyObject *)self));
    batch->rows = rows_of(self, rows, &batch->streams);
    if (!batch->rows) return -1;
    Py_ssize_t given = PySequence_Size(states);
    if (given < 0) return -1;
    if (given != batch->streams || given < 1 || given > LARGEST / KINDS) {
        PyErr_Format(PyExc_ValueError, "a batch needs a state for each token: %zd and %zd", batch->streams, given);
        return -1;
    }
    size_t count = (size_t)given;
    batch->views = PyMem_Calloc(count, sizeof *batch->views);
    batch->before = PyMem_Calloc(count, sizeof *batch->before);
    batch->after = PyMem_Calloc(count, sizeof *batch->after);
    if (!batch->views || !batch->before || !batch->after) return PyErr_NoMemory(), -1;
    batch->logits = memory_new(types->memory, count * logits_floats(&self->model.spec));
    batch->states = PyList_New(0);
    batch->scratch = scratch_take(self, (int)given);
    if (!batch->logits || !batch->states || !batch->scratch) return -1;
    for (Py_ssize_t b = 0; b < given; b++) {
        PyObject *state = PySequence_GetItem(states, b);
        int failed = !state || state_view(self, state, &batch->views[b]) < 0;
        Py_XDECREF(state);
        if (failed) return -1;
        batch->viewed++;
        batch->before[b] = batch->views[b].buf;
        PyObject *after = memory_new(types->memory, state_floats(&self->model.spec));
        if (!after) return -1;
        batch->after[b] = floats_of(after);
        failed = PyList_Append(batch->states, after) < 0;
        Py_DECREF(after);
        if (failed) return -1;
    }
    return 0;
}

static void batch_close(Model *self, struct batch *batch) {
    if (batch->scratch) scratch_give(self, batch->scratch);
    for (Py_ssize_t b = 0; b < batch->viewed; b++) PyBuffer_Release(&batch->views[b]);
    Py_XDECREF(batch->logits);
    Py_XDECREF(batch->states);
    PyMem_Free(batch->views);
    PyMem_Free((void *)batch->before);
    PyMem_Free((void *)batch->after);
    PyMem_Free(batch->rows);
}

static PyObject *model_step_batch(PyObject *object, PyObject *arguments) {
    Model *self = (Model *)object;
    PyObject *rows, *states, *result = NULL;
    if (!PyArg_ParseTuple(arguments, "OO", &rows, &states)) return NULL;
    struct batch batch = {0};
    if (batch_open(self, &batch, rows, states) == 0) {
        Py_BEGIN_ALLOW_THREADS
        self->path->step(&self->model, batch.scratch, (int)batch.streams, batch.rows, batch.before, batch.after,
                         floats_of(batch.logits));
        Py_END_ALLOW_THREADS
        result = PyTuple_Pack(2, batch.logits, batch.states);
    }
    batch_close(self, &batch);
    return result;
}

static PyMethodDef model_methods[] = {
    {"step", model_step, METH_VARARGS, "step(rows, state) -> (logits, state): feed rows one after the other."},
    {"step_batch", model_step_batch, METH_VARARGS,
     "step_batch(rows, states) -> (logits, states): feed each stream a row."},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot model_slots[] = {
    {Py_tp_doc, "Model(architecture, sizes, form, tensors, path): holds on to its tensors and steps over them."},
    {Py_tp_new, model_new},
    {Py_tp_dealloc, model_dealloc},
    {Py_tp_methods, model_methods},
    {0, NULL},
};
static PyType_Spec model_spec = {
    "radio.model._native.Model", sizeof(Model), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, model_slots,
};

/* ---- module ---- */

static PyObject *module_paths(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none)) {
    PyObject *names = PyList_New(0);
    for (int place = 0; names && paths[place]; place++) {
        if (!paths[place]->supported()) continue;
        PyObject *name = PyUnicode_FromString(paths[place]->name);
        if (!name || PyList_Append(names, name) < 0) Py_CLEAR(names);
        Py_XDECREF(name);
    }
    return names;
}

static PyObject *module_read(PyObject *Py_UNUSED(module), PyObject *arguments) {
    const char *name;
    Py_buffer view;
    if (!PyArg_ParseTuple(arguments, "y*s", &view, &name)) return NULL;
    const struct path *path = path_named(name);
    uint64_t total = 0;
    if (path) {
        Py_BEGIN_ALLOW_THREADS
        total = path->read(view.buf, (size_t)view.len);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&view);
    return path ? PyLong_FromUnsignedLongLong(total) : NULL;
}

static PyMethodDef module_methods[] = {
    {"paths", module_paths, METH_NOARGS, "The ways of doing the arithmetic on this processor, the fastest first."},
    {"read", module_read, METH_VARARGS, "read(buffer, path): read all of it and do nothing else."},
    {NULL, NULL, 0, NULL},
};

enum { INTERFACE = 2 }; /* rises when Model is called in another way */

static int module_exec(PyObject *module) {
    if (PyModule_AddIntConstant(module, "interface", INTERFACE) < 0) return -1;
    Types *types = PyModule_GetState(module);
    types->memory = (PyTypeObject *)PyType_FromModuleAndSpec(module, &memory_spec, NULL);
    types->model = (PyTypeObject *)PyType_FromModuleAndSpec(module, &model_spec, NULL);
    if (!types->memory || !types->model) return -1;
    return PyModule_AddType(module, types->model) < 0 ? -1 : PyModule_AddType(module, types->memory);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    Types *types = PyModule_GetState(module);
    Py_VISIT(types->memory);
    Py_VISIT(types->model);
    return 0;
}

static int module_clear(PyObject *module) {
    Types *types = PyModule_GetState(module);
    Py_CLEAR(types->memory);
    Py_CLEAR(types->model);
    return 0;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, module_exec}, {0, NULL}};
static PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_native",
    .m_doc = "RWKV decoding in C: see kernels/cpu.",
    .m_size = sizeof(Types),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&definition); }
