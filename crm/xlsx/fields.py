"""The columns that can be imported, declared once: template, reading, checking and report follow from them.

How a cell is read is said in `crm.domain.customer_fields`, for a sheet and a form alike.
Header texts stand here in both languages, because the language of a sheet is not that of its reader.
"""

import re
from dataclasses import dataclass
from functools import partial

from crm.domain import normalise
from crm.domain.base import Choice
from crm.domain.customer_fields import CLEAN, Clean
from crm.domain.customers import Education, Experience, Gender, Source, WorkStatus
from crm.domain.normalise import half_width
from crm.i18n import Language, Says, says

COURSES = "courses"
REFERRED_BY = "referred_by"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column: what it is called, how its cells are read, and what the template shows of it.

    `key` is the field of Customer, or COURSES or REFERRED_BY, whose cells name rows of the database.
    `also` are further headers by which it is known. `longest` is how many characters a cell that names rows may have.
    `width` is in characters. `help` and `example` are the template's.
    """

    key: str
    en: str
    zh: str
    label: Says
    also: tuple[str, ...] = ()
    choices: type[Choice] | None = None
    required: bool = False
    longest: int = 0
    width: int = 14
    help: Says = says("Free text.")
    example: Says | str = ""

    @property
    def clean(self) -> Clean:
        """How its cells are read. Names of rows of the database are only made tidy; they are looked up later."""
        return CLEAN.get(self.key) or partial(normalise.line, longest=self.longest)

    def header(self, language: Language) -> str:
        """The template's header: both languages, the reader's own first."""
        first, second = (self.zh, self.en) if language == "zh" else (self.en, self.zh)
        both = first if first == second else f"{first} {second}"
        return f"{both} *" if self.required else both


FIELDS = (
    Field(
        key="name",
        en="Name",
        zh="姓名",
        label=says("Name"),
        also=("Customer", "Customer name", "Full name", "客户姓名", "客户名称", "学员姓名", "名字"),
        required=True,
        help=says("Needed: at least one letter, at most 64 characters."),
    ),
    Field(
        key="gender",
        en="Gender",
        zh="性别",
        label=says("Gender"),
        also=("Sex", "性别(1-男,2-女)"),
        choices=Gender,
        width=12,
    ),
    Field(
        key="phone",
        en="Phone",
        zh="手机",
        label=says("Phone"),
        also=(
            "手机号",
            "手机号码",
            "电话",
            "电话号码",
            "联系电话",
            "联系方式",
            "Mobile",
            "Mobile phone",
            "Tel",
            "Telephone",
            "Phone number",
        ),
        width=16,
        example="13800138000",
        help=says(
            "11 digits; spaces, dashes and +86 do no harm. A landline with its area code, a foreign number with +."
        ),
    ),
    Field(
        key="qq",
        en="QQ",
        zh="QQ号",
        label=says("QQ"),
        also=("QQ号码", "QQ number"),
        example="10001",
        help=says("5 to 12 digits."),
    ),
    Field(
        key="wechat",
        en="WeChat",
        zh="微信",
        label=says("WeChat"),
        also=("微信号", "WeChat ID", "Weixin"),
        width=16,
        example="wx_example",
        help=says("The WeChat ID, without spaces."),
    ),
    Field(
        key="email",
        en="Email",
        zh="邮箱",
        label=says("Email"),
        also=("电子邮箱", "电子邮件", "邮件", "E-mail", "Mail", "Email address"),
        width=24,
        example="name@example.com",
        help=says("An address like name@example.com."),
    ),
    Field(
        key="education",
        en="Education",
        zh="学历",
        label=says("Education"),
        also=("最高学历", "教育程度", "Highest education"),
        choices=Education,
        width=18,
    ),
    Field(
        key="graduation_school",
        en="Graduation school",
        zh="毕业院校",
        label=says("Graduation school"),
        also=("毕业学校", "院校", "学校", "School", "University", "Graduated from"),
        width=22,
        example=says("Beijing University of Technology"),
    ),
    Field(
        key="major",
        en="Major",
        zh="专业",
        label=says("Major"),
        also=("所学专业",),
        width=18,
        example=says("Accounting"),
    ),
    Field(
        key="experience",
        en="Experience",
        zh="工作经验",
        label=says("Experience"),
        also=("工作年限", "经验", "Work experience", "Years of experience"),
        choices=Experience,
        width=16,
    ),
    Field(
        key="work_status",
        en="Work status",
        zh="工作状态",
        label=says("Work status"),
        also=("在职状态", "就业状态", "是否在职", "Employment"),
        choices=WorkStatus,
    ),
    Field(
        key="company",
        en="Company",
        zh="公司",
        label=says("Company"),
        also=("工作单位", "单位", "公司名称", "所在公司", "Employer"),
        width=22,
        example=says("Example Trading"),
    ),
    Field(
        key="salary",
        en="Salary",
        zh="薪资",
        label=says("Salary"),
        also=("月薪", "薪水", "工资", "当前薪资", "薪资(元/月)", "Monthly salary", "Salary (yuan a month)"),
        width=12,
        example="8000",
        help=says("Whole yuan a month, such as 8000."),
    ),
    Field(
        key="source",
        en="Source",
        zh="来源",
        label=says("Source"),
        also=("客户来源", "来源渠道", "渠道", "Channel"),
        choices=Source,
        width=16,
    ),
    Field(
        key="note",
        en="Note",
        zh="备注",
        label=says("Note"),
        also=("Notes", "Remark", "Remarks", "Comment", "Comments", "备注信息"),
        width=30,
        example=says("Prefers calls in the evening"),
        help=says("Free text, at most 2,000 characters."),
    ),
    Field(
        key=COURSES,
        en="Courses of interest",
        zh="意向课程",
        label=says("Courses of interest"),
        longest=1000,
        also=("咨询课程", "感兴趣课程", "课程", "Courses", "Course"),
        width=24,
        help=says("Names of courses; several with commas between them."),
    ),
    Field(
        key=REFERRED_BY,
        en="Referred by",
        zh="介绍人",
        label=says("Referred by"),
        longest=64,
        also=("推荐人", "转介绍人", "介绍人(手机或QQ)", "Referrer", "Referred by (phone or QQ)"),
        width=18,
        help=says("Phone or QQ of a customer who is in the records already."),
    ),
)
BY_KEY = {item.key: item for item in FIELDS}
STORED = tuple(item.key for item in FIELDS if item.key not in (COURSES, REFERRED_BY))
"""The fields whose cells are stored as they are read. They stand before the two that name other rows."""

# The name of the example row of a template. A row of this name is passed over.
EXAMPLE_NAME = "示例 Example"
# Columns that the report of errors adds; passed over when the corrected report is imported.
PROBLEM_HEADER = "错误说明 What is wrong"
ROW_HEADER = "原行号 Original row"
_PASSED_OVER = (PROBLEM_HEADER, ROW_HEADER, "序号", "编号", "No", "#", "Row")

LONGEST_HEADER = 200
"""What is longer heads no column: it is not even compared."""

_NOT_COMPARED = re.compile(r"[\s*:_/\\|.。\-·'’\"]")
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】")


def header_key(text: str) -> str:
    """A header as it is compared: half-width, small letters, without spaces and marks."""
    return _NOT_COMPARED.sub("", half_width(text).lower())


def _headers() -> dict[str, str]:
    known = {header_key(text): "" for text in _PASSED_OVER}
    for item in FIELDS:
        for text in (item.key, item.en, item.zh, item.en + item.zh, item.zh + item.en, *item.also):
            known[header_key(text)] = item.key
    return known


HEADERS = _headers()


def recognised(header: str) -> str | None:
    """The key of the field that a header names; "" for a column to pass over, None if it is unknown.

    What stands in brackets counts only where the whole is known with it.
    """
    if len(header) > LONGEST_HEADER:
        return None
    whole = HEADERS.get(header_key(header))
    if whole is not None:
        return whole
    return HEADERS.get(header_key(_BRACKETS.sub("", half_width(header))))
