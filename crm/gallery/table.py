"""The declaration: each option of `TableConfig` at least once. The page shows this very text."""

from crm.gallery import services
from crm.gallery.model import Care, Plant
from crm.grid import (
    Action,
    AnyOf,
    Column,
    DateRange,
    Delete,
    EditForm,
    Form,
    Input,
    NumberRange,
    Related,
    Search,
    TableConfig,
)
from crm.i18n import says, says_n
from crm.tables.site import site

# Many-to-many, and somebody who is missing is added without leaving the form.
GARDENERS = Input(
    "gardener_ids",
    label=says("Looked after by"),
    through=Care,
    create=Form(
        fields=(Input("name", label=says("Name")),),
        run=services.add_gardener,
        needs="gallery.edit",
        title=says("New gardener"),
    ),
)
# A relation that is found by typing: its rows narrowed, each called by a function.
MOTHER = Input(
    "mother_id", label=says("Grown from"), rows=services.mothers, shows=services.called, search=("name", "label")
)

PLANTS = site.register(
    TableConfig(
        name="gallery",
        model=Plant,
        title=says("Plants"),
        rows=services.growing,
        columns=(
            # A field needs its name only: kind, choices, length and bounds are the model's.
            Column("name", label=says("Plant"), edit="gallery.edit", pinned=True, width=150),
            # A link of each row, behind the text of the cell.
            Column(
                "label", label=says("Label"), help=says("As it stands on the pot."), width=90, link=services.on_the_map
            ),
            Column("light", label=says("Light"), edit="gallery.edit"),
            # A foreign key: shown and chosen by the name of what it leads to.
            Column("greenhouse_code", label=says("Greenhouse"), edit="gallery.edit", choose=services.heated),
            # A field of what it leads to; and one that is hidden until somebody asks for it under *Columns*.
            Column("greenhouse_code.degrees", label=says("Degrees"), hidden=True),
            Column("mother_id", label=says("Grown from"), shows="label"),
            # Computed from the row, with an order that the database can sort by; a badge with a colour by its value.
            Column(
                "dry_in",
                value=services.dry_in,
                kind="number",
                label=says("Dry in days"),
                order=Plant.watered_at,
                tone=services.thirst,
            ),
            # Computed for a whole page at once.
            Column("neighbours", look_up=services.neighbours, kind="number", label=says("Neighbours")),
            Column("height", label=says("Height, cm"), edit="gallery.edit"),
            Column("leaves", label=says("Leaves"), edit="gallery.edit"),
            # Cents in the database, units on the screen; and only for who may see prices.
            Column("price", label=says("Price"), kind="money", edit="gallery.edit", see="gallery.edit"),
            # A bar that is full at 100.
            Column("moisture", label=says("Moisture"), progress=100),
            Column("sold", label=says("Sold"), edit="gallery.edit"),
            Column("sown", label=says("Sown"), edit="gallery.edit"),
            # Shown as text of one's own, and not to be sorted by.
            Column("watered_at", label=says("Watered"), show=services.how_long, sortable=False),
            Column("note", edit="gallery.edit"),
        ),
        # Exact, at the beginning, or anywhere; through a foreign key too.
        search=("name", Search("label", match="prefix", tidy=str.upper), "greenhouse_code.name"),
        filters=(
            AnyOf("light", label=says("Light")),
            AnyOf("sold", label=says("Sold")),
            Related("greenhouse", field="greenhouse_code", label=says("Greenhouse")),
            # Another unique field stands for the row in the address: ?mother=P0003.
            Related(
                "mother", field="mother_id", key="label", shows="label", rows=services.mothers, label=says("Grown from")
            ),
            # Choices from a function.
            AnyOf("name", choices=services.names, label=says("Plant")),
            # Where there may be no value, what is empty or not can be asked for.
            NumberRange("leaves", label=says("Leaves")),
            # In units, as the column shows it.
            NumberRange("price", label=says("Price")),
            DateRange("sown", label=says("Sown")),
        ),
        # A first visit sees what was sown by today; one click clears that.
        begins="sown=..today",
        sort="label",
        page_sizes=(20, 50, 200),
        save=services.save,
        # Some rows, and some cells, nobody edits now: a lock says why.
        locked=services.locked,
        # A form of one's own class, which completes what was typed.
        add=services.NewPlant(
            fields=(
                Input("name", label=says("Plant"), default="Fern 蕨"),
                Input("label", label=says("Label"), help=says("Given once.")),
                GARDENERS,
                MOTHER,
                Input("light", label=says("Light")),
                Input("greenhouse_code", label=says("Greenhouse"), choices=services.greenhouses),
                Input("height", label=says("Height, cm")),
                Input("sown", label=says("Sown")),
                "note",
            ),
            # One of them is needed.
            one_of=(("mother_id", "sown"),),
            run=services.add,
            needs="gallery.edit",
            title=says("Add a plant"),
            done=lambda plant: says("{name} is in its pot.", name=plant.name),
        ),
        edit=EditForm(
            fields=(
                Input("name", label=says("Plant")),
                GARDENERS,
                MOTHER,
                Input("light", label=says("Light")),
                Input("price", label=says("Price"), kind="money"),
                Input("sold", label=says("Sold")),
                Input("watered_at", label=says("Watered")),
                "note",
            ),
            needs="gallery.edit",
            title=says("Edit the plant"),
        ),
        # Ticked plants, all that match, an opened one, or the one of ?delete=17; and the way back.
        delete=Delete(
            run=services.throw_away,
            undo=services.bring_back,
            needs="gallery.edit",
            recoverable=services.RECOVERABLE,
            confirm=says_n(
                "Throw {count} plant away? It lies on the heap for {days} days.",
                "Throw {count} plants away? They lie on the heap for {days} days.",
                count=0,
                days=0,
            ),
            label=says("Throw away"),
            done=says_n("{count} plant thrown away.", "{count} plants thrown away.", count=0),
            undone=says_n("{count} plant is back.", "{count} plants are back.", count=0),
            icon=":material/compost:",
        ),
        actions=(
            # One click on a row; some are refused, and the account says which.
            Action(
                "water",
                says("Water"),
                run=services.water,
                needs="gallery.edit",
                done=says_n("{count} plant watered.", "{count} plants watered.", count=0),
                icon=":material/water_drop:",
                each=True,
            ),
            # Parameters are asked for.
            Action(
                "move",
                says("Move to..."),
                run=services.move,
                needs="gallery.edit",
                params=(
                    Input(
                        "greenhouse_code",
                        label=says("Greenhouse"),
                        kind="choice",
                        required=True,
                        choices=services.greenhouses,
                    ),
                    Input("note", required=False),
                ),
                verb=says("Move"),
                done=says_n("{count} plant moved.", "{count} plants moved.", count=0),
                icon=":material/local_shipping:",
            ),
            # The way back after.
            Action(
                "sell",
                says("Sell"),
                run=services.sell,
                needs="gallery.edit",
                as_seen=True,
                confirm=says_n("Sell {count} plant?", "Sell {count} plants?", count=0),
                done=says_n("{count} plant sold.", "{count} plants sold.", count=0),
                undo=services.take_back,
                undone=says_n("{count} plant is back.", "{count} plants are back.", count=0),
                icon=":material/sell:",
            ),
        ),
        export="gallery.view",
        share="gallery.share_views",
        empty=says("Nothing grows here yet. Add the first plant."),
        cap=1_000,
    )
)
