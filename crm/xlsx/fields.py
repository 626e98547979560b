"""The columns that can be imported, declared once: template, reading, checking and report follow from them.

Header texts stand here in both languages, because the language of a sheet is not that of its reader.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from crm.domain import normalise
from crm.domain.base import Choice
from crm.domain.customers import Education, Experience, Gender, Source, WorkStatus
from crm.domain.normalise import Cell, half_width, spelling
from crm.i18n import LANGUAGES, Language, Says, read_in, says

Clean = Callable[[Cell], Any]

COURSES = "courses"
REFERRED_BY = "referred_by"
# At least one of these, besides a name, makes a customer.
CONTACTS = ("phone", "qq", "wechat")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column: what it is called, how its cells are read, and what the template shows of it.

    `key` is the field of Customer, or COURSES or REFERRED_BY, whose cells name rows of the database.
    `also` are further headers by which it is known. `width` is in characters. `help` and `example` are the template's.
    """

    key: str
    en: str
    zh: str
    label: Says
    clean: Clean
    also: tuple[str, ...] = ()
    choices: type[Choice] | None = None
    required: bool = False
    width: int = 14
    help: Says = says("Free text.")
    example: Says | str = ""

    def header(self, language: Language) -> str:
        """The template's header: both languages, the reader's own first."""
        first, second = (self.zh, self.en) if language == "zh" else (self.en, self.zh)
        both = first if first == second else f"{first} {second}"
        return f"{both} *" if self.required else both


def _choice(kind: type[Choice], synonyms: Mapping[Any, str]) -> Clean:
    """Reads a choice: by code, by label in either language, or by a classic synonym (apart by spaces)."""
    allowed = listed([member.label for member in kind])

    @cache
    def readings() -> Mapping[str, Choice]:
        known: dict[str, Choice] = {}
        for member in kind:
            words = [member.value, member.value.replace("_", " "), *synonyms.get(member, "").split()]
            for language in LANGUAGES:
                with read_in(language):
                    words.append(str(member.label))
            known.update({spelling(word): member for word in words})
        return known

    return lambda cell: normalise.choice(cell, readings(), allowed)


def listed(texts: list[Says]) -> Says:
    """Several texts as one, with commas between them."""
    pattern = ", ".join(f"{{t{number}}}" for number in range(len(texts)))
    return Says(pattern, tuple((f"t{number}", text) for number, text in enumerate(texts)))


def _line(longest: int) -> Clean:
    return partial(normalise.line, longest=longest)


_GENDERS = {Gender.MALE: "1 男 男性 男生 先生 m man", Gender.FEMALE: "2 女 女性 女生 女士 小姐 f woman"}
_EDUCATIONS = {
    Education.JUNIOR_HIGH: "初中 初中及以下",
    Education.HIGH_SCHOOL: "高中",
    Education.VOCATIONAL: "中专 职高 技校 中技",
    Education.COLLEGE: "大专 专科 高职 associate",
    Education.BACHELOR: "本科 大学本科 大学 学士 bachelor's undergraduate",
    Education.MASTER: "硕士 研究生 硕士研究生 master's",
    Education.DOCTOR: "博士 博士研究生 phd",
    Education.OTHER: "其他 其它 other",
}
_EXPERIENCES = {
    Experience.STUDENT: "在校 在校生 在读 学生",
    Experience.GRADUATE: "应届 应届生 应届毕业生 无 无经验 0",
    Experience.UNDER_ONE: "1年以内 1年以下 一年以内 一年以下 不到一年 <1年",
    Experience.ONE_TO_THREE: "1-3年 1~3年 1至3年 1到3年 一到三年 1-3years",
    Experience.THREE_TO_FIVE: "3-5年 3~5年 3至5年 3到5年 三到五年 3-5years",
    Experience.OVER_FIVE: "5年以上 五年以上 5年及以上 >5年 5+years 5+",
}
_WORK = {
    WorkStatus.EMPLOYED: "在职 已就业 就业 工作中 是 yes",
    WorkStatus.UNEMPLOYED: "离职 待业 无业 失业 未就业 否 no unemployed",
    WorkStatus.STUDYING: "在读 在校 学生 student",
}
_SOURCES = {
    Source.SEARCH: "搜索 搜索引擎 百度 百度搜索 网络搜索 baidu google",
    Source.ADVERT: "广告 网络广告 ad advert",
    Source.QQ_GROUP: "qq群 qq",
    Source.WECHAT: "微信 微信群 公众号 微信公众号 朋友圈",
    Source.DOUYIN: "抖音 短视频 tiktok",
    Source.REFERRAL: "转介绍 推荐 朋友推荐 老学员推荐 介绍 内部转介绍",
    Source.CAMPUS: "校园 校园宣讲 宣讲会 校招 校园招聘",
    Source.WALK_IN: "上门 到访 自行上门 walkin",
    Source.PARTNER: "合作 合作伙伴 合作机构 渠道 代理",
    Source.OTHER: "其他 其它 other",
}

FIELDS = (
    Field(
        key="name",
        en="Name",
        zh="姓名",
        label=says("Name"),
        clean=normalise.name,
        also=("Customer", "Customer name", "Full name", "客户姓名", "客户名称", "学员姓名", "名字"),
        required=True,
        help=says("Needed: at least one letter, at most 64 characters."),
    ),
    Field(
        key="gender",
        en="Gender",
        zh="性别",
        label=says("Gender"),
        clean=_choice(Gender, _GENDERS),
        also=("Sex", "性别(1-男,2-女)"),
        choices=Gender,
        width=12,
    ),
    Field(
        key="phone",
        en="Phone",
        zh="手机",
        label=says("Phone"),
        clean=normalise.phone,
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
        clean=normalise.qq,
        also=("QQ号码", "QQ number"),
        example="10001",
        help=says("5 to 12 digits."),
    ),
    Field(
        key="wechat",
        en="WeChat",
        zh="微信",
        label=says("WeChat"),
        clean=normalise.wechat,
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
        clean=normalise.email,
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
        clean=_choice(Education, _EDUCATIONS),
        also=("最高学历", "教育程度", "Highest education"),
        choices=Education,
        width=18,
    ),
    Field(
        key="graduation_school",
        en="Graduation school",
        zh="毕业院校",
        label=says("Graduation school"),
        clean=_line(100),
        also=("毕业学校", "院校", "学校", "School", "University", "Graduated from"),
        width=22,
        example=says("Beijing University of Technology"),
    ),
    Field(
        key="major",
        en="Major",
        zh="专业",
        label=says("Major"),
        clean=_line(100),
        also=("所学专业",),
        width=18,
        example=says("Accounting"),
    ),
    Field(
        key="experience",
        en="Experience",
        zh="工作经验",
        label=says("Experience"),
        clean=_choice(Experience, _EXPERIENCES),
        also=("工作年限", "经验", "Work experience", "Years of experience"),
        choices=Experience,
        width=16,
    ),
    Field(
        key="work_status",
        en="Work status",
        zh="工作状态",
        label=says("Work status"),
        clean=_choice(WorkStatus, _WORK),
        also=("在职状态", "就业状态", "是否在职", "Employment"),
        choices=WorkStatus,
    ),
    Field(
        key="company",
        en="Company",
        zh="公司",
        label=says("Company"),
        clean=_line(100),
        also=("工作单位", "单位", "公司名称", "所在公司", "Employer"),
        width=22,
        example=says("Example Trading"),
    ),
    Field(
        key="salary",
        en="Salary",
        zh="薪资",
        label=says("Salary"),
        clean=normalise.salary,
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
        clean=_choice(Source, _SOURCES),
        also=("客户来源", "来源渠道", "渠道", "Channel"),
        choices=Source,
        width=16,
    ),
    Field(
        key="note",
        en="Note",
        zh="备注",
        label=says("Note"),
        clean=partial(normalise.lines, longest=2000),
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
        clean=_line(1000),
        also=("咨询课程", "感兴趣课程", "课程", "Courses", "Course"),
        width=24,
        help=says("Names of courses; several with commas between them."),
    ),
    Field(
        key=REFERRED_BY,
        en="Referred by",
        zh="介绍人",
        label=says("Referred by"),
        clean=_line(64),
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
    whole = HEADERS.get(header_key(header))
    if whole is not None:
        return whole
    return HEADERS.get(header_key(_BRACKETS.sub("", half_width(header))))
